"""Whether the stores answer is told within a bounded time, with the reason and no secret."""

from __future__ import annotations

import re

import asyncpg
from redis.asyncio import Redis

from shared.observability.health import check_redis, check_stores
from shared.postgres.pool import Pool
from shared.streams.connection import open_redis


async def test_stores_that_answer_are_healthy(pool: Pool, redis: Redis) -> None:
    postgres, valkey = await check_stores(pool, redis)
    assert (postgres.name, postgres.is_healthy, postgres.detail) == ("postgres", True, "")
    assert (valkey.name, valkey.is_healthy, valkey.detail) == ("redis", True, "")


async def test_a_store_that_is_away_says_why(dsn: str) -> None:
    pool = await asyncpg.create_pool(dsn, min_size=0)
    await pool.close()
    async with open_redis("redis://:hunter2@127.0.0.1:1/0") as nowhere:
        postgres, valkey = await check_stores(pool, nowhere)
    assert not postgres.is_healthy
    assert "closed" in postgres.detail
    assert not valkey.is_healthy
    assert valkey.detail
    assert "hunter2" not in valkey.detail


async def test_a_wrong_password_is_told(redis_url: str) -> None:
    async with open_redis(re.sub("//:[^@]+@", "//:wrong@", redis_url)) as stranger:
        assert not (await check_redis(stranger)).is_healthy
