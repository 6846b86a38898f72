"""Whatever is killed, paused or lost: every command takes effect once."""

from __future__ import annotations

import asyncio
import random
import signal
from typing import Any

import pytest
from redis.exceptions import ResponseError

from shared.domain.operation import Service
from shared.streams.commands import CommandStreams
from shared.streams.keys import GROUP, ServiceKeys

KEYS = ServiceKeys(Service.CAMPAIGNS)


async def assert_once_each(bench: Any, count: int) -> None:
    assert await bench.states() == {"succeeded": count}
    assert await bench.pool.fetchval("SELECT count(DISTINCT operation_id) FROM effects") == count
    assert await bench.count("effects") == count


@pytest.mark.slow
async def test_random_kills_lose_nothing_and_double_nothing(bench: Any) -> None:
    settings = {"command_max_deaths": 20, "worker_concurrency": 10, "command_lease_seconds": 0.7}
    workers = [await bench.start(**settings), await bench.start(**settings)]
    await bench.accept("write_effect", count=1000, seconds=0.15)
    chance = random.Random(7)
    kills = 0
    while not await bench.all_finished():
        await asyncio.sleep(chance.uniform(0.3, 0.9))
        victim = chance.randrange(2)
        workers[victim].kill()
        workers[victim] = bench.launch(**settings)
        await workers[victim].ready()
        kills += 1
        assert kills < 60, await bench.states()
    assert kills >= 3
    await assert_once_each(bench, 1000)


async def test_a_dead_workers_commands_are_taken_over_within_the_lease(bench: Any) -> None:
    first = await bench.start()
    await bench.accept("write_effect", count=5, seconds=2)
    await bench.until(lambda: _runs_by(bench, first.pid, 5))
    second = await bench.start()
    first.kill()
    await bench.until(lambda: _runs_by(bench, second.pid, 5), seconds=1 + 1)
    await bench.until(bench.all_finished)
    await assert_once_each(bench, 5)


async def test_sigterm_finishes_what_runs_and_leaves_the_group_clean(bench: Any) -> None:
    worker = await bench.start()
    await bench.accept("write_effect", count=10, seconds=1)
    await bench.until(lambda: _runs_by(bench, worker.pid, 10))
    worker.signal(signal.SIGTERM)
    assert await worker.exit_code() == 0
    await assert_once_each(bench, 10)
    assert await bench.count("handler_runs") == 10
    assert await bench.redis.xinfo_consumers(KEYS.commands, GROUP) == []


async def test_sigterm_hands_over_at_once_what_does_not_finish_in_time(bench: Any) -> None:
    long_lease = {"command_lease_seconds": 60, "drain_seconds": 0.5}
    first = await bench.start(**long_lease)
    await bench.accept("write_effect", count=10, seconds=2)
    await bench.until(lambda: _runs_by(bench, first.pid, 10))
    second = await bench.start(**long_lease, worker_concurrency=20)
    first.signal(signal.SIGTERM)
    assert await first.exit_code() == 0
    await bench.until(lambda: _runs_by(bench, second.pid, 10), seconds=2)
    await bench.until(bench.all_finished)
    await assert_once_each(bench, 10)
    names = [consumer["name"] for consumer in await bench.redis.xinfo_consumers(KEYS.commands, GROUP)]
    assert len(names) == 2  # the second, and the name that handed back entries wait under
    assert b"handed-back" in names


async def test_a_worker_paused_past_its_lease_is_fenced(bench: Any) -> None:
    paused = await bench.start()
    await bench.accept("write_effect", count=5, seconds=1.5)
    await bench.until(lambda: _runs_by(bench, paused.pid, 5))
    paused.signal(signal.SIGSTOP)
    second = await bench.start()
    await bench.until(bench.all_finished)
    assert await _runs_by(bench, second.pid, 5)
    paused.signal(signal.SIGCONT)
    await bench.until(lambda: paused.says("lease_lost") or paused.says("command_fenced"))
    await bench.accept("write_effect")
    await bench.until(bench.all_finished)
    await assert_once_each(bench, 6)


async def test_what_was_committed_and_never_appended_is_relayed(bench: Any) -> None:
    await bench.start()
    await bench.accept("write_effect", count=1500, append=False)
    await bench.until(bench.all_finished)
    await assert_once_each(bench, 1500)
    assert await bench.count("handler_runs") == 1500


async def test_a_flushed_redis_is_filled_again_from_postgres(bench: Any) -> None:
    await bench.start()
    await bench.start()
    await bench.accept("write_effect", count=300, seconds=0.2)

    async def is_under_way() -> bool:
        return await bench.count("effects") >= 40

    await bench.until(is_under_way)
    await bench.redis.flushall()
    await bench.until(bench.all_finished, seconds=30)
    await assert_once_each(bench, 300)


async def test_a_destroyed_group_and_forgotten_scripts_are_no_harm(bench: Any) -> None:
    await bench.start()
    await bench.accept("write_effect", count=100, seconds=0.1)
    await bench.redis.script_flush()
    await bench.redis.xgroup_destroy(KEYS.commands, GROUP)
    await bench.until(bench.all_finished)
    await assert_once_each(bench, 100)
    with pytest.raises(ResponseError, match="BUSYGROUP"):
        await bench.redis.xgroup_create(KEYS.commands, GROUP)


async def test_redis_that_is_restarted_loses_nothing_and_ends_no_worker(bench: Any, valkey: Any) -> None:
    worker = await bench.start()
    await bench.accept("write_effect", count=200, seconds=0.1)
    valkey.kill()
    await asyncio.sleep(0.5)
    valkey.start()
    await bench.until(bench.all_finished, seconds=30)
    await assert_once_each(bench, 200)
    assert worker.process.poll() is None


async def test_a_poison_command_is_given_up_and_takes_nobody_with_it(bench: Any) -> None:
    settings = {"command_max_attempts": 3, "command_lease_seconds": 0.5, "worker_concurrency": 20}
    [poison] = await bench.accept("crash")
    await bench.accept("write_effect", count=19, seconds=0.3)
    deaths = 0
    worker = bench.launch(**settings)
    while not await bench.all_finished():
        await asyncio.sleep(0.05)
        if worker.process.poll() is not None:
            deaths += 1
            worker = bench.launch(**settings)
    assert await bench.states() == {"succeeded": 19, "failed": 1}
    row = await bench.pool.fetchrow("SELECT state, error FROM operations WHERE id = $1", poison.id)
    assert (row["state"], row["error"]) == ("failed", "the process that ran it ended 3 times before it was done")
    assert deaths == 3
    assert await bench.count("effects") == 19
    depth = await CommandStreams(bench.redis).depth(Service.CAMPAIGNS)
    assert (depth.dead_letters, depth.pending) == (1, 0)


async def test_postgres_away_spends_no_attempt_and_ends_no_worker(bench: Any, postgres: Any) -> None:
    worker = await bench.start(command_max_attempts=2)
    await bench.accept("write_effect", count=20, seconds=0.5)
    await bench.until(lambda: _runs_by(bench, worker.pid, 1))
    postgres.stop()
    await bench.until(lambda: worker.says("waiting_for_postgres") or worker.says("command_deferred"))
    await asyncio.sleep(1)  # long enough for several tries
    postgres.start()
    await bench.pool.expire_connections()
    await bench.until(bench.all_finished)
    assert worker.process.poll() is None
    await assert_once_each(bench, 20)
    assert await bench.pool.fetchval("SELECT max(attempts) FROM operations") == 0


async def _runs_by(bench: Any, pid: int, count: int) -> bool:
    return (
        await bench.pool.fetchval("SELECT count(DISTINCT operation_id) FROM handler_runs WHERE pid = $1", pid) >= count
    )
