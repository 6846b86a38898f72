"""What is deleted once nobody needs it any more: results of steps."""

from __future__ import annotations

import asyncio

import structlog

from shared.postgres import step_results

from .context import CampaignsContext
from .stored_results import blob_key

log = structlog.stdlib.get_logger(__name__)

FORGET_SECONDS = 3600.0


async def forget_step_results(ctx: CampaignsContext) -> None:
    """Deletes the results that nobody used for long, and the least recently used of those that are too much."""
    while True:
        async with ctx.pool.acquire() as conn:
            keys = await step_results.least_used_step_results(
                conn, most_bytes=ctx.settings.step_cache_max_bytes, unused_days=ctx.settings.step_cache_days
            )
        if not keys:
            return
        await asyncio.gather(*(ctx.blobs.delete(blob_key(key)) for key in keys))
        async with ctx.pool.acquire() as conn:
            await step_results.delete_step_results(conn, keys)
        log.info("step_results_forgotten", results=len(keys))
