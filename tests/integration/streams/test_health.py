"""Whether the stores answer is told within a bounded time, with the reason and no secret."""

from __future__ import annotations

import asyncio
import re

import asyncpg
from redis.asyncio import Redis

from shared.domain.operation import Service
from shared.observability.health import Check, Probes, Unhealthy, postgres_check, redis_check
from shared.postgres.pool import Pool
from shared.streams.connection import open_redis
from shared.streams.groups import ensure_group, has_group


async def test_stores_that_answer_are_healthy(pool: Pool, redis: Redis) -> None:
    report = await Probes(ready=[postgres_check(pool), redis_check(redis)]).readiness()
    assert report.is_healthy
    assert [(each.name, each.is_healthy, each.detail) for each in report.checks] == [
        ("postgres", True, ""),
        ("redis", True, ""),
    ]


async def test_a_store_that_is_away_says_why(dsn: str) -> None:
    pool = await asyncpg.create_pool(dsn, min_size=0)
    await pool.close()
    async with open_redis("redis://:hunter2@127.0.0.1:1/0") as nowhere:
        report = await Probes(ready=[postgres_check(pool), redis_check(nowhere)]).readiness()
    postgres, valkey = report.checks
    assert not report.is_healthy
    assert not postgres.is_healthy
    assert "closed" in postgres.detail
    assert not valkey.is_healthy
    assert valkey.detail
    assert "hunter2" not in valkey.detail


async def test_a_wrong_password_is_told(redis_url: str) -> None:
    async with open_redis(re.sub("//:[^@]+@", "//:wrong@", redis_url)) as stranger:
        assert not (await redis_check(stranger).answer()).is_healthy


async def test_many_probes_at_once_ask_once_and_a_secret_in_an_answer_is_taken_out() -> None:
    asked = 0

    async def refuse() -> str:
        nonlocal asked
        asked += 1
        await asyncio.sleep(0)
        raise Unhealthy("ghs_abcdefgh12345678 is not accepted")

    probes = Probes(ready=[], beside=[Check("github", refuse, kept_seconds=60)])
    reports = await asyncio.gather(*(probes.health() for _ in range(100)))
    reports.append(await probes.health())
    assert asked == 1
    assert {(report.is_healthy, report.checks[0].detail) for report in reports} == {
        (False, "[redacted] is not accepted")
    }
    assert (await probes.readiness()).is_healthy


async def test_an_answer_that_is_not_kept_any_more_is_asked_for_again() -> None:
    answers = iter(["first", "second"])

    async def tell() -> str:
        return next(answers)

    check = Check("counted", tell, kept_seconds=0)
    assert [(await check.answer()).detail, (await check.answer()).detail] == ["first", "second"]


async def test_a_prober_that_goes_away_takes_nothing_from_the_others() -> None:
    told = asyncio.Event()

    async def tell() -> str:
        await told.wait()
        return "told"

    check = Check("slow", tell)
    first, second = (asyncio.create_task(check.answer()) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    told.set()
    assert (await second).detail == "told"


async def test_what_never_answers_is_not_waited_for() -> None:
    async def wait() -> str:
        await asyncio.Event().wait()
        return ""

    health = await Check("store", wait).answer()
    assert (health.is_healthy, health.detail) == (False, "no answer within 2 s")
    assert 2000 <= health.duration_ms < 10_000


async def test_a_group_is_there_once_it_was_made(redis: Redis) -> None:
    assert not await has_group(redis, Service.SELECTION)
    await ensure_group(redis, Service.SELECTION)
    await ensure_group(redis, Service.SELECTION)
    assert await has_group(redis, Service.SELECTION)
    assert not await has_group(redis, Service.TOKENS)
