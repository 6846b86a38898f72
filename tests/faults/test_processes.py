"""Workers that are killed, stopped, paused or poisoned: every command takes effect once."""

from __future__ import annotations

import asyncio
import random
import signal
from collections import Counter
from collections.abc import Callable
from datetime import datetime
from typing import Any

import psutil
import pytest

from shared.domain.operation import Service
from shared.streams.commands import CommandStreams
from shared.streams.keys import GROUP, ServiceKeys
from tests.faults.sizes import SLACK_SECONDS, TIMEOUT_SECONDS, size
from tests.worker_bench import WorkerProcess

pytestmark = pytest.mark.timeout(TIMEOUT_SECONDS)

KEYS = ServiceKeys(Service.CAMPAIGNS)
POINTS = ("commit", "append", "read", "start", "effect", "result", "before finish", "after finish")
NOBODY_IS_TO_BLAME = {"command_max_deaths": 100}

Record = Callable[[str, object], None]


@pytest.mark.slow
async def test_1_kills_at_every_point_lose_nothing_and_double_nothing(bench: Any, record_property: Record) -> None:
    settings = NOBODY_IS_TO_BLAME | {"command_lease_seconds": 0.5}
    kills_a_point = size(short=1, full=100)
    bench.environment["TEST_FAULT_ONE_IN"] = "3"
    kills: Counter[str] = Counter()
    workers: list[tuple[str, WorkerProcess]] = []
    accepted = 0
    while min(kills[point] for point in POINTS) < kills_a_point:
        for point, worker in workers:
            kills[point] += worker.process.poll() == -signal.SIGKILL
        workers = [(point, worker) for point, worker in workers if worker.process.poll() is None]
        while len(workers) < 3:
            point = min(POINTS, key=lambda point: kills[point] + sum(at == point for at, _ in workers))
            bench.environment["TEST_FAULT_AT"] = point
            workers.append((point, bench.launch(**settings)))
        if (await bench.states()).get("accepted", 0) < 20:
            await bench.accept("write_effect", count=20, seconds=0.02, followers=1)
            accepted += 20
        await asyncio.sleep(0.05)
    for _, worker in workers:
        worker.kill()
    del bench.environment["TEST_FAULT_AT"]
    await bench.start(**settings)
    await bench.until(bench.all_finished, seconds=60)
    await bench.assert_once_each(2 * accepted)
    told = ", ".join(f"{kills[point]} at {point}" for point in POINTS)
    record_property("fault 1", f"{sum(kills.values())} kills ({told}); {2 * accepted} commands: 0 lost, 0 doubled")


async def test_1_a_dead_workers_commands_are_taken_over_within_the_lease(bench: Any, record_property: Record) -> None:
    lease_seconds, waits = 1.0, []
    worker = await bench.start(command_lease_seconds=lease_seconds)
    for _ in range(size(short=1, full=10)):
        commands = [operation.id for operation in await bench.accept("write_effect", count=5, seconds=2)]
        await bench.until(lambda worker=worker: _runs_by(bench, worker, 5))
        successor = await bench.start(command_lease_seconds=lease_seconds)
        killed_at = await _now(bench)
        worker.kill()
        await bench.until(bench.all_finished)
        waits.append(await _longest_wait(bench, commands, killed_at))
        worker = successor
    assert max(waits) <= lease_seconds + 1 + SLACK_SECONDS
    record_property("fault 1", f"taken over after at most {max(waits):.2f} s, with a lease of {lease_seconds:g} s")


@pytest.mark.slow
async def test_2_a_kill_every_second_at_200_commands_a_second(bench: Any, record_property: Record) -> None:
    settings = NOBODY_IS_TO_BLAME | {"worker_concurrency": 20}
    seconds = size(short=4, full=60)
    workers = [await bench.start(**settings), await bench.start(**settings)]
    kills, accepted = 0, 0
    chance = random.Random(2)
    until_next_second = asyncio.get_running_loop().time()
    while kills < seconds:
        accepted += len(await bench.accept("write_effect", count=200, seconds=0.05))
        index = chance.randrange(len(workers))
        workers[index].kill()
        workers[index] = bench.launch(**settings)
        kills += 1
        until_next_second += 1
        await asyncio.sleep(max(until_next_second - asyncio.get_running_loop().time(), 0))
    await bench.until(bench.all_finished, seconds=120)
    await bench.assert_once_each(accepted)
    record_property("fault 2", f"{kills} kills, one a second; {accepted} commands: 0 lost, 0 doubled")


@pytest.mark.slow
async def test_3_rolling_restarts_rerun_nothing(bench: Any, record_property: Record) -> None:
    restarts, commands = size(short=3, full=8), size(short=40, full=400)
    workers = [await bench.start(), await bench.start()]
    for turn in range(restarts):
        await bench.accept("write_effect", count=commands, seconds=0.1)
        old, workers[turn % 2] = workers[turn % 2], await bench.start()
        old.signal(signal.SIGTERM)
        assert await old.exit_code() == 0
    await bench.until(bench.all_finished, seconds=60)
    await bench.assert_once_each(restarts * commands)
    assert await bench.count("handler_runs") == restarts * commands
    record_property("fault 3", f"{restarts} restarts under {restarts * commands} commands: 0 run again")


async def test_3_what_does_not_finish_in_time_is_resumed_elsewhere_at_once(bench: Any, record_property: Record) -> None:
    long_lease = {"command_lease_seconds": 60, "drain_seconds": 0.5}
    first = await bench.start(**long_lease)
    commands = [operation.id for operation in await bench.accept("write_effect", count=10, seconds=2)]
    await bench.until(lambda: _runs_by(bench, first, 10))
    second = await bench.start(**long_lease, worker_concurrency=20)
    ended_at = await _now(bench)
    first.signal(signal.SIGTERM)
    assert await first.exit_code() == 0
    await bench.until(lambda: _runs_by(bench, second, 10))
    wait = await _longest_wait(bench, commands, ended_at) - 0.5
    assert wait <= 1 + SLACK_SECONDS
    await bench.until(bench.all_finished)
    await bench.assert_once_each(10)
    names = [consumer["name"] for consumer in await bench.redis.xinfo_consumers(KEYS.commands, GROUP)]
    assert len(names) == 2  # the second, and the name that handed back entries wait under
    assert b"handed-back" in names
    record_property("fault 3", f"10 overrunning commands resumed elsewhere {wait:.2f} s after the grace period")


async def test_3_sigterm_finishes_what_runs_and_leaves_the_group_clean(bench: Any) -> None:
    worker = await bench.start()
    await bench.accept("write_effect", count=10, seconds=1)
    await bench.until(lambda: _runs_by(bench, worker, 10))
    worker.signal(signal.SIGTERM)
    assert await worker.exit_code() == 0
    await bench.assert_once_each(10)
    assert await bench.count("handler_runs") == 10
    assert await bench.redis.xinfo_consumers(KEYS.commands, GROUP) == []


async def test_10_a_worker_paused_in_its_handlers_is_fenced(bench: Any, record_property: Record) -> None:
    paused = await bench.start()
    await bench.accept("write_effect", count=5, seconds=1.5)
    await bench.until(lambda: _runs_by(bench, paused, 5))
    paused.signal(signal.SIGSTOP)
    three_leases = asyncio.create_task(asyncio.sleep(3))
    second = await bench.start()
    await bench.until(bench.all_finished)
    assert await _runs_by(bench, second, 5)
    await three_leases
    await _resume_and_count_refusals(bench, paused, 5)
    await bench.accept("write_effect")
    await bench.until(bench.all_finished)
    await bench.assert_once_each(6)
    record_property("fault 10", "paused in 5 handlers for 3 leases: all 5 given to a successor, 0 doubled")


async def test_10_every_finish_after_a_pause_is_refused(bench: Any, record_property: Record) -> None:
    await bench.accept("write_effect", count=5)
    bench.environment |= {
        "TEST_FAULT_AT": "before finish", "TEST_FAULT_ONE_IN": "1", "TEST_FAULT_SIGNAL": "SIGSTOP",
    }  # fmt: skip
    paused = bench.launch()
    await bench.until(lambda: psutil.Process(paused.pid).status() == psutil.STATUS_STOPPED)
    del bench.environment["TEST_FAULT_AT"]
    three_leases = asyncio.create_task(asyncio.sleep(3))
    await bench.start()
    await bench.until(bench.all_finished)
    await three_leases
    await bench.until(lambda: _nothing_pending(bench))
    await _resume_and_count_refusals(bench, paused, 5)
    assert paused.says("command_fenced")
    await bench.assert_once_each(5)
    record_property("fault 10", "paused for 3 leases between result and finish: 5 of 5 stale finishes refused")


async def test_12_a_run_of_ten_leases_is_one_run(bench: Any, record_property: Record) -> None:
    lease_seconds = size(short=0.3, full=1.0)
    await bench.start(command_lease_seconds=lease_seconds)
    await bench.start(command_lease_seconds=lease_seconds)
    await bench.accept("write_effect", count=8, seconds=10 * lease_seconds)
    await bench.until(bench.all_finished, seconds=60)
    await bench.assert_once_each(8)
    assert await bench.count("handler_runs") == 8
    record_property("fault 12", "8 commands of 10 leases beside an idle worker: 8 runs")


async def test_13_a_poison_command_is_given_up_and_takes_nobody_with_it(bench: Any, record_property: Record) -> None:
    settings = {"command_lease_seconds": 0.5, "worker_concurrency": 20}
    rounds, deaths = size(short=1, full=5), []
    for _ in range(rounds):
        [poison] = await bench.accept("crash")
        await bench.accept("write_effect", count=19, seconds=0.3)
        deaths.append(await _deaths_until_finished(bench, settings))
        row = await bench.pool.fetchrow("SELECT state, error FROM operations WHERE id = $1", poison.id)
        assert row["state"] == "failed"
        assert row["error"] == "the process that ran it ended 3 times before it was done"
    assert await bench.states() == {"succeeded": 19 * rounds, "failed": rounds}
    assert await bench.count("effects") == 19 * rounds
    assert max(deaths) <= 3
    await bench.until(lambda: _nothing_pending(bench))
    assert (await CommandStreams(bench.redis).depth(Service.CAMPAIGNS)).dead_letters == rounds
    record_property(
        "fault 13",
        f"{rounds} poison commands, each beside 19 others: at most {max(deaths)} deaths,"
        f" dead letters: {rounds}, neighbours among them: 0",
    )


async def _deaths_until_finished(bench: Any, settings: dict[str, Any]) -> int:
    deaths = 0
    worker = bench.launch(**settings)
    while not await bench.all_finished():
        await asyncio.sleep(0.05)
        if worker.process.poll() is not None:
            deaths += 1
            worker = bench.launch(**settings)
    await bench.until(lambda: _nothing_pending(bench))
    worker.kill()
    return deaths


async def _resume_and_count_refusals(bench: Any, paused: WorkerProcess, count: int) -> None:
    paused.signal(signal.SIGCONT)
    await bench.until(lambda: _refusals(paused) >= count)
    assert _refusals(paused) == count


def _refusals(worker: WorkerProcess) -> int:
    log = worker.log.read_text()
    return log.count('"lease_lost"') + log.count('"command_fenced"')


async def _runs_by(bench: Any, worker: WorkerProcess, count: int) -> bool:
    runs: int = await bench.pool.fetchval(
        "SELECT count(DISTINCT operation_id) FROM handler_runs WHERE pid = $1", worker.pid
    )
    return runs >= count


async def _now(bench: Any) -> datetime:
    return await bench.pool.fetchval("SELECT clock_timestamp()")


async def _longest_wait(bench: Any, commands: list[Any], since: datetime) -> float:
    """From `since` until the last of the commands was begun again, by the clock of Postgres."""
    return await bench.pool.fetchval(
        """SELECT extract(epoch FROM max(at) - $2)::float FROM
               (SELECT min(at) AS at FROM handler_runs WHERE operation_id = ANY($1) AND at > $2 GROUP BY operation_id)
               AS begun""",
        commands,
        since,
    )


async def _nothing_pending(bench: Any) -> bool:
    depth = await CommandStreams(bench.redis).depth(Service.CAMPAIGNS)
    return depth.undelivered + depth.pending == 0
