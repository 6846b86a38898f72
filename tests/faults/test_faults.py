"""Whatever is killed, paused or lost: every command takes effect once. Numbers are those of `docs/faults.md`."""

from __future__ import annotations

import asyncio
import os
import random
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from redis.exceptions import ResponseError

from sandbox.embedded.valkey import EmbeddedValkey, running_valkey
from shared.domain.ids import RunId, new_id
from shared.domain.operation import NewOperation, Service
from shared.streams.commands import CommandStreams
from shared.streams.keys import GROUP, ServiceKeys

KEYS = ServiceKeys(Service.CAMPAIGNS)

FULL = os.environ.get("OCTOBATCH_FAULTS") == "full"
KILLS_AT_EACH_POINT = 100 if FULL else 4


@pytest.fixture
def own_valkey(tmp_path: Path) -> Iterator[EmbeddedValkey]:
    """A server of this test's own, to be broken."""
    with running_valkey(tmp_path / "own") as server:
        yield server


@pytest.fixture
def redis_url(request: pytest.FixtureRequest) -> str:
    """Of the test's own server where it has one."""
    name = "own_valkey" if "own_valkey" in request.fixturenames else "valkey"
    return request.getfixturevalue(name).url


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
    await bench.assert_once_each(1000)


async def test_a_dead_workers_commands_are_taken_over_within_the_lease(bench: Any) -> None:
    first = await bench.start()
    await bench.accept("write_effect", count=5, seconds=2)
    await bench.until(lambda: _runs_by(bench, first.pid, 5))
    second = await bench.start()
    first.kill()
    await bench.until(lambda: _runs_by(bench, second.pid, 5), seconds=1 + 1)
    await bench.until(bench.all_finished)
    await bench.assert_once_each(5)


async def test_sigterm_finishes_what_runs_and_leaves_the_group_clean(bench: Any) -> None:
    worker = await bench.start()
    await bench.accept("write_effect", count=10, seconds=1)
    await bench.until(lambda: _runs_by(bench, worker.pid, 10))
    worker.signal(signal.SIGTERM)
    assert await worker.exit_code() == 0
    await bench.assert_once_each(10)
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
    await bench.assert_once_each(10)
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
    await bench.assert_once_each(6)


async def test_what_was_committed_and_never_appended_is_relayed(bench: Any) -> None:
    await bench.start()
    await bench.accept("write_effect", count=1500, append=False)
    await bench.until(bench.all_finished)
    await bench.assert_once_each(1500)
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
    await bench.assert_once_each(300)


async def test_a_destroyed_group_and_forgotten_scripts_are_no_harm(bench: Any) -> None:
    await bench.start()
    await bench.accept("write_effect", count=100, seconds=0.1)
    await bench.redis.script_flush()
    await bench.redis.xgroup_destroy(KEYS.commands, GROUP)
    await bench.until(bench.all_finished)
    await bench.assert_once_each(100)
    with pytest.raises(ResponseError, match="BUSYGROUP"):
        await bench.redis.xgroup_create(KEYS.commands, GROUP)


async def test_redis_that_is_restarted_loses_nothing_and_ends_no_worker(bench: Any, valkey: Any) -> None:
    worker = await bench.start()
    await bench.accept("write_effect", count=200, seconds=0.1)
    valkey.kill()
    await asyncio.sleep(0.5)
    valkey.start()
    await bench.until(bench.all_finished, seconds=30)
    await bench.assert_once_each(200)
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
    await bench.assert_once_each(20)
    assert await bench.pool.fetchval("SELECT max(attempts) FROM operations") == 0


async def _runs_by(bench: Any, pid: int, count: int) -> bool:
    return (
        await bench.pool.fetchval("SELECT count(DISTINCT operation_id) FROM handler_runs WHERE pid = $1", pid) >= count
    )


# 1: killed at every point on the way


@pytest.mark.slow
@pytest.mark.parametrize("point", ["read", "start", "effect", "result", "before finish", "after finish"])
async def test_a_worker_killed_at_any_point_loses_nothing_and_doubles_nothing(bench: Any, point: str) -> None:
    settings = {"command_max_deaths": 100, "command_lease_seconds": 0.5, "worker_concurrency": 10}
    bench.environment |= {"TEST_DIE_AT": point, "TEST_DIE_ONE_IN": "5"}
    deaths, accepted = 0, 0
    workers = [bench.launch(**settings), bench.launch(**settings)]
    while deaths < KILLS_AT_EACH_POINT:
        if await _open_commands(bench) < 20:
            accepted += len(await bench.accept("write_effect", count=40, seconds=0.01))
        await asyncio.sleep(0.05)
        for index, worker in enumerate(workers):
            if worker.process.poll() is not None:
                deaths += 1
                workers[index] = bench.launch(**settings)
    for worker in workers:
        worker.kill()
    bench.environment["TEST_DIE_AT"] = ""
    await bench.start(**settings)
    await bench.until(bench.all_finished, seconds=60)
    print(f"killed {deaths} times at '{point}': {accepted} commands, each with one effect")
    await bench.assert_once_each(accepted)


async def _open_commands(bench: Any) -> int:
    return (await bench.states()).get("accepted", 0)


# 3: rolling restarts


@pytest.mark.slow
async def test_rolling_restarts_rerun_nothing(bench: Any) -> None:
    workers = [await bench.start(), await bench.start()]
    for turn in range(8):
        await bench.accept("write_effect", count=60, seconds=0.1)
        old, workers[turn % 2] = workers[turn % 2], await bench.start()
        old.signal(signal.SIGTERM)
        assert await old.exit_code() == 0
    await bench.until(bench.all_finished)
    await bench.assert_once_each(480)
    assert await bench.count("handler_runs") == 480


# 5: the tail of the append-only file is lost


async def test_a_lost_tail_of_the_append_only_file_is_restored_from_postgres(bench: Any, own_valkey: Any) -> None:
    await bench.accept("write_effect", count=300)
    own_valkey.kill()
    [log] = own_valkey.folder.glob("valkey/appendonlydir/*.incr.aof")
    with log.open("r+b") as file:
        file.truncate(log.stat().st_size // 3)
    own_valkey.start()
    await bench.redis.connection_pool.disconnect()
    assert (await CommandStreams(bench.redis).depth(Service.CAMPAIGNS)).undelivered < 300
    await bench.start()
    await bench.until(bench.all_finished, seconds=60)
    await bench.assert_once_each(300)


# 8, 9: the same command again and again


async def test_one_key_a_thousand_times_at_once_is_one_command_and_one_effect(bench: Any) -> None:
    command = NewOperation(
        service=Service.CAMPAIGNS, type="write_effect", payload={}, dedupe_key="the same", actor="test"
    )

    async def accept() -> None:
        async with bench.outbox.transaction() as work:
            await work.accept(command)

    await bench.start()
    await asyncio.gather(*(accept() for _ in range(1000)))
    await bench.until(bench.all_finished)
    await bench.assert_once_each(1)
    assert await bench.count("handler_runs") == 1


async def test_one_entry_delivered_ten_times_has_one_effect(bench: Any) -> None:
    await bench.accept("write_effect", seconds=0.2)
    [(_, fields)] = await bench.redis.xrange(KEYS.commands)
    for _ in range(9):
        await bench.redis.xadd(KEYS.commands, fields)
    await bench.start()
    await bench.start()
    await bench.until(bench.all_finished)

    async def is_empty() -> bool:
        depth = await CommandStreams(bench.redis).depth(Service.CAMPAIGNS)
        return depth.undelivered + depth.pending + depth.delayed == 0

    await bench.until(is_empty)
    await bench.assert_once_each(1)


# 11, 19: time is the server's


@pytest.mark.parametrize("ahead", [-600, 0, 600])
async def test_a_retry_comes_on_time_whatever_the_workers_clock_says(bench: Any, ahead: int) -> None:
    bench.environment["TEST_CLOCK_AHEAD"] = str(ahead)
    await bench.start()
    await bench.accept("wait_once", seconds=2)
    await bench.until(bench.all_finished)
    first, second = await bench.pool.fetch("SELECT at FROM handler_runs ORDER BY at")
    assert 2.0 <= (second["at"] - first["at"]).total_seconds() < 3.0
    await bench.assert_once_each(1)


# 12: much longer than a lease


async def test_a_run_of_ten_leases_is_one_run(bench: Any) -> None:
    await bench.start(command_lease_seconds=0.3)
    await bench.start(command_lease_seconds=0.3)
    await bench.accept("write_effect", count=4, seconds=3)
    await bench.until(bench.all_finished)
    await bench.assert_once_each(4)
    assert await bench.count("handler_runs") == 4


# 14: trimming under load


async def test_trimming_under_load_drops_nothing_and_keeps_the_lag_right(bench: Any) -> None:
    streams = CommandStreams(bench.redis)
    await bench.start(worker_concurrency=20)
    accepted = 0
    while accepted < 2000:
        accepted += len(await bench.accept("write_effect", count=200, seconds=0.02))
        await streams.tidy(Service.CAMPAIGNS, retention_seconds=0, consumer_idle_seconds=3600)
    await bench.until(bench.all_finished, seconds=60)
    await streams.tidy(Service.CAMPAIGNS, retention_seconds=0, consumer_idle_seconds=3600)
    await bench.assert_once_each(2000)
    for worker in bench.started:
        worker.kill()
    await bench.accept("write_effect", count=50)
    assert (await streams.depth(Service.CAMPAIGNS)).undelivered == 50


# 15: a flood beside a small run


async def test_a_small_run_does_not_wait_behind_a_flood(bench: Any) -> None:
    slots = 10
    await bench.accept("write_effect", count=10_000 if FULL else 3000, seconds=0.02, run_id=RunId(new_id()))
    await bench.start(worker_concurrency=slots)
    await bench.until(lambda: _some_effects(bench, 50))
    before = await bench.count("effects")
    small = [operation.id for operation in await bench.accept("write_effect", count=5, run_id=RunId(new_id()))]

    async def is_done() -> bool:
        return await bench.pool.fetchval("SELECT count(*) FROM effects WHERE operation_id = ANY($1)", small) == 5

    await bench.until(is_done)
    others = await bench.count("effects") - before - 5
    print(f"{others} commands of the flood ran beside 5 of the small run")
    # what is in the slots and on the stream, one of the flood for each of the small run, and what the polling adds
    assert others < 10 * slots


async def _some_effects(bench: Any, count: int) -> bool:
    return await bench.count("effects") >= count
