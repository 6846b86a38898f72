"""A run's events: each once, capped, and a snapshot followed by what comes after it: no gap, no double."""

from __future__ import annotations

import asyncio
import random
import time

import pytest
from redis.asyncio import Redis

from shared.clock import utcnow
from shared.domain.event import Event
from shared.domain.ids import EventId, RunId, new_id
from shared.domain.operation import Service
from shared.errors import InvalidInput
from shared.outbox import Outbox
from shared.postgres.events import fetch_recent_event_ids
from shared.postgres.pool import Pool
from shared.streams.events import EventsLost, RunEvents
from shared.streams.feed import Crossing, Edge, order_of
from workers.relay import Relay


def make_event(run_id: RunId, number: int = 0) -> Event:
    return Event(
        id=EventId(new_id()),
        run_id=run_id,
        target_id=None,
        type="run.running",
        payload={"number": number},
        occurred_at=utcnow(),
    )


@pytest.fixture
def run_id() -> RunId:
    return RunId(new_id())


async def test_what_is_appended_is_read_in_order_and_once(redis: Redis, run_id: RunId) -> None:
    events = RunEvents(redis)
    start: str = await events.position(run_id)
    sent = [make_event(run_id, number) for number in range(250)]
    await events.append(sent)
    await events.append(sent[100:])
    received, after = [], start
    while entries := await events.read(run_id, after=after):
        received += [entry.event for entry in entries]
        after = entries[-1].position
    assert received == sent


async def test_a_reader_waits_for_the_next_event(redis: Redis, run_id: RunId) -> None:
    events = RunEvents(redis)
    start = await events.position(run_id)
    reading = asyncio.create_task(events.read(run_id, after=start, block_seconds=5))
    event = make_event(run_id)
    await events.append([event])
    [entry] = await reading
    assert entry.event == event


async def test_a_reader_that_waits_in_vain_gets_nothing(redis: Redis, run_id: RunId) -> None:
    events = RunEvents(redis)
    started = time.monotonic()
    assert await events.read(run_id, after=await events.position(run_id), block_seconds=0.1) == []
    assert time.monotonic() - started < 2


async def test_a_position_past_the_cap_is_told(redis: Redis, run_id: RunId) -> None:
    events = RunEvents(redis, max_events=100)
    start = await events.position(run_id)
    await events.append([make_event(run_id, number) for number in range(1000)])
    with pytest.raises(EventsLost):
        await events.read(run_id, after=start)
    with pytest.raises(EventsLost):
        await events.read(run_id, after=start, block_seconds=5)
    assert await events.read(run_id, after=await events.position(run_id)) == []


async def test_a_reader_is_told_when_redis_lost_the_stream_under_it(redis: Redis, run_id: RunId) -> None:
    events = RunEvents(redis)
    await events.append([make_event(run_id)])
    position = await events.position(run_id)
    reading = asyncio.create_task(events.read(run_id, after=position, block_seconds=5))
    await asyncio.sleep(0.05)
    await redis.flushall()
    await events.append([make_event(run_id)])
    with pytest.raises(EventsLost):
        await reading


@pytest.mark.parametrize("position", ["", "$", "0", "now", "1-1-1", "-1-0"])
async def test_what_is_no_position_is_refused(redis: Redis, run_id: RunId, position: str) -> None:
    with pytest.raises(InvalidInput):
        await RunEvents(redis).read(run_id, after=position)


async def test_a_snapshot_and_what_follows_have_no_gap_and_no_double(pool: Pool, redis: Redis) -> None:
    run_id = await _run_without_parents(pool)
    outbox, events = Outbox(pool, redis), RunEvents(redis)
    relay = Relay(service=Service.CAMPAIGNS, pool=pool, redis=redis, patience_seconds=0)
    total = 150

    async def write(first: int) -> None:
        for number in range(first, total, 3):
            async with outbox.transaction() as work:
                await work.emit(make_event(run_id, number))
                if number % 7 == 0:
                    work.events.clear()  # as if the process had died after the commit: left to the relay

    async def relay_often(writing: asyncio.Future[list[None]]) -> None:
        while not writing.done():
            await relay.append_unconfirmed()
        await relay.append_unconfirmed()

    async def snapshot() -> tuple[str, Crossing, list[int]]:
        position = await events.position(run_id)
        async with pool.acquire() as conn, conn.transaction(isolation="repeatable_read"):
            seen = [row["payload"]["number"] for row in await conn.fetch("SELECT payload FROM events")]
            included = await fetch_recent_event_ids(conn, run_id)
        return position, Crossing(await Edge.find(events, run_id, position=position, included=included)), seen

    async def watch(chance: random.Random) -> list[int]:
        """A watcher whose connection breaks again and again, and who knows only the last id that was sent."""
        position, crossing, seen = await snapshot()
        last_event_id = position if crossing.is_over else None
        while len(seen) < total:
            if chance.random() < 0.4:
                if last_event_id is None:
                    position, crossing, seen = await snapshot()
                else:
                    position = last_event_id
            count = chance.choice([1, 3, 100])
            for entry in await events.read(run_id, after=position, block_seconds=0.05, count=count):
                position = entry.position
                if crossing.passes(entry.event.id, order_of(position)):
                    seen.append(entry.event.payload["number"])
                last_event_id = position if crossing.is_over else None
        return seen

    async def watch_later(number: int) -> list[int]:
        await asyncio.sleep(number * 0.02)
        return await watch(random.Random(number))

    writing = asyncio.gather(*(write(first) for first in range(3)))
    *watched, _ = await asyncio.gather(*(watch_later(number) for number in range(12)), relay_often(writing))
    for seen in watched:
        assert sorted(seen) == list(range(total))


async def _run_without_parents(pool: Pool) -> RunId:
    await pool.execute("ALTER TABLE events DROP CONSTRAINT events_run_id_fkey")
    return RunId(new_id())
