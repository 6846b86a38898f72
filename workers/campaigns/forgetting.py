"""What is deleted once nobody needs it any more: results of steps, and artifacts of runs that ended long ago."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import structlog

from shared.clock import utcnow
from shared.postgres import artifacts, step_results

from .context import CampaignsContext
from .preparation.stored_results import blob_key

log = structlog.stdlib.get_logger(__name__)

FORGET_SECONDS = 3600.0
AT_ONCE = 200


async def forget_step_results(ctx: CampaignsContext) -> None:
    """Deletes the results that nobody used for long, and the least recently used of those that are too much."""
    while True:
        async with ctx.pool.acquire() as conn:
            keys = await step_results.least_used_step_results(
                conn,
                most_bytes=ctx.settings.step_cache_max_bytes,
                unused_days=ctx.settings.step_cache_days,
                limit=AT_ONCE,
            )
        if not keys:
            return
        await asyncio.gather(*(ctx.blobs.delete(blob_key(key)) for key in keys))
        async with ctx.pool.acquire() as conn:
            await step_results.delete_step_results(conn, keys)
        log.info("step_results_forgotten", results=len(keys))


async def forget_artifacts(ctx: CampaignsContext) -> None:
    """Deletes the artifacts of runs that ended longer ago than artifacts are kept: the bytes first, then the rows."""
    if not ctx.settings.artifact_retention_days:
        return
    ended_before = utcnow() - timedelta(days=ctx.settings.artifact_retention_days)
    while True:
        async with ctx.pool.acquire() as conn:
            expired = await artifacts.list_expired(conn, ended_before=ended_before, limit=AT_ONCE)
            keys = [each.key for each in expired]
            kept = set(await artifacts.list_keys_in_use(conn, keys=keys, but_for=[each.id for each in expired]))
        if not expired:
            return
        await asyncio.gather(*(ctx.blobs.delete(key) for key in keys if key not in kept))
        async with ctx.pool.acquire() as conn, conn.transaction():
            await artifacts.delete_artifacts(conn, expired)
        log.info("artifacts_forgotten", artifacts=len(expired), runs=len({each.run_id for each in expired}))
