"""Whether the stores answer."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable
from dataclasses import dataclass

import asyncpg
from redis.asyncio import Redis
from redis.exceptions import RedisError

from .redaction import redact

PATIENCE_SECONDS = 2.0


@dataclass(frozen=True, kw_only=True)
class Health:
    """One check: `detail` says what is wrong, and is empty where nothing is."""

    name: str
    is_healthy: bool
    duration_ms: float
    detail: str = ""


async def check_postgres(pool: asyncpg.Pool[asyncpg.Record]) -> Health:
    """Whether Postgres answers a query."""
    return await _check("postgres", pool.fetchval("SELECT 1"))


async def check_redis(redis: Redis) -> Health:
    """Whether Redis answers a ping."""
    return await _check("redis", redis.ping())  # pyright: ignore


async def check_stores(pool: asyncpg.Pool[asyncpg.Record], redis: Redis) -> tuple[Health, Health]:
    """Both, at the same time."""
    return await asyncio.gather(check_postgres(pool), check_redis(redis))


async def _check(name: str, answer: Awaitable[object]) -> Health:
    started = time.perf_counter()
    detail = ""
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            await answer
    except TimeoutError:
        detail = f"no answer within {PATIENCE_SECONDS:g} s"
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, RedisError) as error:
        detail = redact(str(error)) or type(error).__name__
    duration_ms = (time.perf_counter() - started) * 1000
    return Health(name=name, is_healthy=not detail, duration_ms=round(duration_ms, 1), detail=detail)
