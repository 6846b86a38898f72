"""Periodic jobs: about every so many seconds, in one process of a service at a time.

The lock is held while the job runs, and then kept until it is due again. Errors are logged and end nothing.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

import structlog
from redis.exceptions import RedisError

from shared.errors import OctobatchError
from shared.observability.redaction import redact
from shared.streams.periods import LEASE_SECONDS, Period

from .retries import describe, is_away

log = structlog.stdlib.get_logger(__name__)

REDIS_AGAIN_SECONDS = 1.0


async def run_periodically(
    job: Callable[[], Awaitable[object]], *, name: str, period: Period, every_seconds: float
) -> None:
    """Runs until it is cancelled; then another process may do the job at once."""
    while True:
        try:
            wait_seconds = await period.begin()
            if wait_seconds == 0:
                async with _holding(period, every_seconds):
                    await _run_logged(job, name)
                wait_seconds = every_seconds
        except (RedisError, OSError) as error:
            log.warning("periodic_waits_for_redis", job=name, error=redact(describe(error)))
            wait_seconds = REDIS_AGAIN_SECONDS
        await asyncio.sleep(min(wait_seconds, every_seconds))


async def _run_logged(job: Callable[[], Awaitable[object]], name: str) -> None:
    try:
        await job()
    except Exception as error:
        if is_away(error) or isinstance(error, OctobatchError):
            log.warning("periodic_put_off", job=name, error=redact(describe(error)))
        else:
            log.exception("periodic_failed", job=name)


@asynccontextmanager
async def _holding(period: Period, every_seconds: float) -> AsyncIterator[None]:
    started = time.monotonic()
    renewing = asyncio.create_task(_renew(period))
    rest_seconds = 0.0  # cancelled in the middle: whoever is next begins again
    try:
        yield
        rest_seconds = every_seconds - (time.monotonic() - started)
    finally:
        renewing.cancel()
        await asyncio.gather(renewing, return_exceptions=True)
        # an error here would take the place of a cancellation, and the job would go on; the lock ends by itself too
        with suppress(RedisError, OSError):
            await period.hold(rest_seconds)


async def _renew(period: Period) -> None:
    while True:
        await asyncio.sleep(LEASE_SECONDS / 3)
        await period.hold(LEASE_SECONDS)
