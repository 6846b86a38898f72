"""Commands that come twice, late, in a flood, or while the stream is trimmed."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable
from typing import Any

import pytest

from shared.domain.ids import RunId, new_id
from shared.domain.operation import NewOperation, Service
from shared.postgres.operations import get_operation
from shared.streams.commands import CommandStreams
from shared.streams.envelope import Envelope
from shared.streams.keys import GROUP, ServiceKeys
from tests.faults.sizes import TIMEOUT_SECONDS, size

pytestmark = pytest.mark.timeout(TIMEOUT_SECONDS)

KEYS = ServiceKeys(Service.CAMPAIGNS)

Record = Callable[[str, object], None]


async def test_8_one_key_a_thousand_times_at_once_is_one_command_and_one_effect(
    bench: Any, record_property: Record
) -> None:
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
    record_property("fault 8", "1,000 times at once: 1 command, 1 run, 1 effect")


async def test_9_one_entry_delivered_ten_times_has_one_effect(bench: Any, record_property: Record) -> None:
    commands = size(short=1, full=100)
    await bench.accept("write_effect", count=commands, seconds=0.2)
    for operation in await bench.pool.fetch("SELECT id FROM operations"):
        envelope = await _envelope_of(bench, operation["id"])
        for _ in range(9):
            await bench.redis.xadd(KEYS.commands, {"command": envelope})
    await bench.start()
    await bench.start()
    await bench.until(bench.all_finished, seconds=60)
    await bench.until(lambda: _nothing_left(bench), seconds=60)
    await bench.assert_once_each(commands)
    runs = await bench.count("handler_runs")
    record_property("fault 9", f"{commands} entries, each delivered 10 times: {commands} effects, from {runs} runs")


async def test_11_and_19_what_is_delayed_comes_on_time_whatever_the_workers_clocks_say(
    bench: Any, record_property: Record
) -> None:
    commands = size(short=30, full=300)
    minutes_ahead = {}
    for minutes in (0, -10, 10):
        bench.environment["TEST_CLOCK_AHEAD"] = str(60 * minutes)
        minutes_ahead[(await bench.start()).pid] = minutes
    for number in range(commands):
        await bench.accept("wait_once", seconds=1 + number % 10 / 5)
    await bench.until(bench.all_finished, seconds=60)
    await bench.assert_once_each(commands)
    late = await _seconds_late(bench, minutes_ahead)
    assert sum(map(len, late.values())) == commands
    for minutes, seconds in late.items():
        assert min(seconds) >= 0
        assert max(seconds) <= (1.0 if minutes else 0.7)
        record_property(
            f"fault {11 if minutes else 19}",
            f"{len(seconds)} delays by a clock {minutes:+d} min: {min(seconds):.2f} to {max(seconds):.2f} s after d",
        )


async def _seconds_late(bench: Any, minutes_ahead: dict[int, int]) -> dict[int, list[float]]:
    """How long after its time each command came, by the clock of Postgres, and by who had delayed it."""
    rows = await bench.pool.fetch(
        """SELECT (array_agg(pid ORDER BY at))[1] AS pid,
               extract(epoch FROM max(at) - min(at))::float - (payload ->> 'seconds')::float AS late
           FROM handler_runs JOIN operations ON operations.id = operation_id GROUP BY operations.id"""
    )
    late: dict[int, list[float]] = {}
    for row in rows:
        late.setdefault(minutes_ahead[row["pid"]], []).append(row["late"])
    return late


async def test_a_poison_command_takes_one_slot_an_attempt_and_never_two_in_a_row(
    bench: Any, record_property: Record
) -> None:
    neighbours = size(short=30, full=100)
    attempts = size(short=2, full=3)
    await bench.start(worker_concurrency=1, command_max_attempts=attempts)
    [poison] = await bench.accept("fail_until", attempt=1000)
    others = await bench.accept("write_effect", count=neighbours, seconds=0.1)
    await bench.until(bench.all_finished, seconds=60)
    runs = [row["operation_id"] for row in await bench.pool.fetch("SELECT operation_id FROM handler_runs ORDER BY at")]
    turns = [place for place, operation_id in enumerate(runs) if operation_id == poison.id]
    assert len(turns) == attempts
    assert all(later - earlier > 1 for earlier, later in itertools.pairwise(turns))
    assert turns[-1] < neighbours  # it was given up while the others went on
    assert [operation_id for operation_id in runs if operation_id != poison.id] == [other.id for other in others]
    assert await bench.states() == {"succeeded": neighbours, "failed": 1}
    assert (await CommandStreams(bench.redis).depth(Service.CAMPAIGNS)).dead_letters == 1
    record_property(
        "fault 13", f"a command that fails beside {neighbours} others on 1 slot: {attempts} turns, never two in a row"
    )


async def test_14_trimming_under_load_drops_nothing_pending_and_keeps_the_lag_right(
    bench: Any, record_property: Record
) -> None:
    streams = CommandStreams(bench.redis)
    commands, trimmed, looked_at = size(short=1000, full=20_000), 0, 0
    worker = await bench.start(worker_concurrency=20)
    for _ in range(commands // 200):
        await bench.accept("write_effect", count=200, seconds=0.02)
        trimmed += await streams.tidy(Service.CAMPAIGNS, retention_seconds=0, consumer_idle_seconds=3600)
        looked_at += await _assert_pending_are_there(bench)
    await bench.until(bench.all_finished, seconds=300)
    await bench.until(lambda: _nothing_left(bench))
    trimmed += await streams.tidy(Service.CAMPAIGNS, retention_seconds=0, consumer_idle_seconds=3600)
    await bench.assert_once_each(commands)
    worker.kill()
    await bench.accept("write_effect", count=50)
    assert (await streams.depth(Service.CAMPAIGNS)).undelivered == 50
    assert trimmed > commands // 2
    assert looked_at > 0
    record_property(
        "fault 14",
        f"{trimmed} entries trimmed under load, 0 of {looked_at} pending ones; lag of 50 new commands: 50",
    )


async def test_15_a_small_run_does_not_wait_behind_a_flood(bench: Any, record_property: Record) -> None:
    slots, flood = 10, size(short=1000, full=10_000)
    await bench.accept("write_effect", count=flood, seconds=0.02, run_id=RunId(new_id()))
    await bench.start(worker_concurrency=slots)
    await bench.until(lambda: _some_effects(bench, 50))
    before = await bench.pool.fetchval("SELECT clock_timestamp()")
    small = [operation.id for operation in await bench.accept("write_effect", count=5, run_id=RunId(new_id()))]
    await bench.until(bench.all_finished, seconds=300)
    await bench.assert_once_each(flood + 5)
    between = await bench.pool.fetchval(
        """SELECT count(*) FROM effects WHERE at > $1 AND operation_id <> ALL($2)
               AND at < (SELECT max(at) FROM effects WHERE operation_id = ANY($2))""",
        before,
        small,
    )
    # one for each of the small run, what was in the slots, and what ran while it was accepted
    assert between <= 5 * slots
    record_property(
        "fault 15",
        f"{between} of {flood} commands of a flood ran before the last of 5 of a small run, on {slots} slots",
    )


async def _envelope_of(bench: Any, operation_id: Any) -> bytes:
    """As it would travel, wherever Redis holds the command now."""
    async with bench.pool.acquire() as conn:
        return Envelope.of(await get_operation(conn, operation_id)).to_json()


async def _assert_pending_are_there(bench: Any) -> int:
    async with bench.redis.pipeline(transaction=True) as pipeline:
        pipeline.xpending_range(KEYS.commands, GROUP, "-", "+", 1000)
        pipeline.xrange(KEYS.commands)
        pending, entries = await pipeline.execute()
    assert {entry["message_id"] for entry in pending} <= {entry_id for entry_id, _ in entries}
    return len(pending)


async def _some_effects(bench: Any, count: int) -> bool:
    return await bench.count("effects") >= count


async def _nothing_left(bench: Any) -> bool:
    depth = await CommandStreams(bench.redis).depth(Service.CAMPAIGNS)
    return depth.undelivered + depth.pending + depth.delayed == 0
