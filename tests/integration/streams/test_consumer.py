"""The scripts of a consumer group, on a real server: nothing lost, nothing in two places, nothing finished twice."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from redis.asyncio import Redis

from shared.domain.ids import OperationId, new_id
from shared.domain.operation import Service
from shared.streams.commands import CommandStreams
from shared.streams.connection import open_redis
from shared.streams.consumer import Consumer, Delivery, Finish
from shared.streams.envelope import Envelope
from shared.streams.keys import ServiceKeys

SERVICE = Service.CAMPAIGNS
KEYS = ServiceKeys(SERVICE)


def make_envelope(**fields: object) -> Envelope:
    operation_id = OperationId(new_id())
    return Envelope(id=operation_id, service=SERVICE, type="x", dedupe_key=str(operation_id), actor="test", **fields)  # pyright: ignore


@pytest.fixture
async def make_consumer(redis: Redis, redis_url: str) -> AsyncIterator[Callable[..., Awaitable[Consumer]]]:
    async with AsyncExitStack() as stack:

        async def make(*, lease_seconds: float = 30, max_deliveries: int = 5) -> Consumer:
            reader = await stack.enter_async_context(open_redis(redis_url, max_connections=1))
            consumer = Consumer(
                service=SERVICE,
                redis=redis,
                reader=reader,
                lease_seconds=lease_seconds,
                max_deliveries=max_deliveries,
            )
            await consumer.ensure_group()
            return consumer

        yield make


async def test_an_entry_is_read_once_and_finished_once(redis: Redis, make_consumer) -> None:
    first, second = await make_consumer(), await make_consumer()
    await CommandStreams(redis).append([make_envelope()])
    [delivery] = await first.read(count=10, block_seconds=0.1)
    assert await second.read(count=10, block_seconds=0.01) == []
    finish = Finish(delivery=delivery, outcome="done")
    assert await second.finish([finish]) == [False]
    assert await first.finish([finish]) == [True]
    assert await first.finish([finish]) == [False]


async def test_a_lost_reply_is_found_at_the_next_tick(redis: Redis, make_consumer) -> None:
    consumer = await make_consumer()
    await CommandStreams(redis).append([make_envelope()])
    [delivery] = await consumer.read(count=10, block_seconds=0.1)
    tick = await consumer.tick({}, free=10)
    assert tick.taken == (delivery,)


async def test_a_renewed_entry_is_not_taken_over_and_a_neglected_one_is(redis: Redis, make_consumer) -> None:
    first, second = await make_consumer(lease_seconds=0.2), await make_consumer(lease_seconds=0.2)
    await CommandStreams(redis).append([make_envelope(), make_envelope()])
    held = {delivery.entry_id: delivery for delivery in await first.read(count=10, block_seconds=0.1)}
    kept, neglected = held.values()
    for _ in range(4):
        await asyncio.sleep(0.1)
        await redis.xclaim(KEYS.commands, "workers", first.name, 0, [kept.entry_id], justid=True)
    tick = await second.tick({}, free=10)
    assert [(taken.entry_id, taken.count) for taken in tick.taken] == [(neglected.entry_id, 2)]
    assert (await first.tick(held, free=0)).lost == (neglected.entry_id,)
    assert await first.finish([Finish(delivery=neglected, outcome="done")]) == [False]
    assert await second.finish([Finish(delivery=tick.taken[0], outcome="done")]) == [True]


async def test_ticks_renew_thousands_of_entries(redis: Redis, make_consumer) -> None:
    consumer = await make_consumer(lease_seconds=60)
    await CommandStreams(redis).append([make_envelope() for _ in range(3000)])
    held = {delivery.entry_id: delivery for delivery in await consumer.read(count=3000, block_seconds=0.1)}
    tick = await consumer.tick(held, free=0)
    assert (tick.lost, tick.taken) == ((), ())
    idle = [
        entry["time_since_delivered"] for entry in await redis.xpending_range(KEYS.commands, "workers", "-", "+", 3000)
    ]
    assert max(idle) < 1000


async def test_a_delayed_entry_comes_back_when_it_is_due_by_the_servers_clock(redis: Redis, make_consumer) -> None:
    consumer = await make_consumer()
    envelope = make_envelope()
    await CommandStreams(redis).append([envelope])
    [delivery] = await consumer.read(count=1, block_seconds=0.1)
    again = envelope.next_attempt().to_json()
    assert await consumer.finish([Finish(delivery=delivery, outcome="delay", envelope=again, delay_seconds=0.2)]) == [
        True
    ]
    assert (await consumer.tick({}, free=1)).due == 0
    await asyncio.sleep(0.25)
    assert (await consumer.tick({}, free=1)).due == 1
    [returned] = await consumer.read(count=1, block_seconds=0.1)
    assert Envelope.from_json(returned.body).attempt == 2


async def test_what_is_handed_back_counts_no_delivery(redis: Redis, make_consumer) -> None:
    first, second = await make_consumer(), await make_consumer()
    await CommandStreams(redis).append([make_envelope(), make_envelope()])
    await first.read(count=2, block_seconds=0.1)
    assert await first.leave() == 2
    tick = await second.tick({}, free=10)
    assert [delivery.count for delivery in tick.taken] == [1, 1]


async def test_a_suspect_is_run_alone_by_one_consumer(redis: Redis, make_consumer) -> None:
    first, second = (
        await make_consumer(lease_seconds=0.1, max_deliveries=2),
        await make_consumer(lease_seconds=0.1, max_deliveries=2),
    )
    await CommandStreams(redis).append([make_envelope() for _ in range(3)])
    await (await make_consumer()).read(count=3, block_seconds=0.1)  # and is never heard of again
    await asyncio.sleep(0.15)
    tick = await first.tick({}, free=10)
    assert tick.is_quarantine
    assert [delivery.count for delivery in tick.taken] == [2]
    assert (await second.tick({}, free=10)).taken == ()
    held = {tick.taken[0].entry_id: tick.taken[0]}
    again = await first.tick(held, free=9)
    assert again.is_quarantine
    assert again.taken == ()
    await first.finish([Finish(delivery=tick.taken[0], outcome="done")])
    assert len((await first.tick({}, free=10)).taken) == 1


async def test_trimming_drops_nothing_that_is_not_acknowledged(redis: Redis, make_consumer) -> None:
    consumer, streams = await make_consumer(), CommandStreams(redis)
    await streams.append([make_envelope() for _ in range(300)])
    deliveries = await consumer.read(count=200, block_seconds=0.1)
    await asyncio.sleep(0.01)
    finishes = [Finish(delivery=delivery, outcome="done") for delivery in deliveries if delivery is not deliveries[100]]
    await consumer.finish(finishes)
    await streams.tidy(SERVICE, retention_seconds=0, consumer_idle_seconds=3600)
    kept = {entry_id.decode() for entry_id, _ in await redis.xrange(KEYS.commands)}
    assert deliveries[100].entry_id in kept
    depth = await streams.depth(SERVICE)
    assert (depth.undelivered, depth.pending) == (100, 1)
    assert len(await consumer.read(count=200, block_seconds=0.1)) == 100


async def test_the_depth_says_what_is_before_a_service(redis: Redis, make_consumer) -> None:
    consumer, streams = await make_consumer(), CommandStreams(redis)
    assert (await streams.depth(SERVICE)).undelivered == 0
    envelopes = [make_envelope() for _ in range(10)]
    await streams.append(envelopes)
    one, two, *_ = await consumer.read(count=4, block_seconds=0.1)
    body = envelopes[0].to_json()
    await consumer.finish(
        [
            Finish(delivery=one, outcome="delay", envelope=body, delay_seconds=60),
            Finish(delivery=two, outcome="dead", envelope=body, error="no"),
        ]
    )
    depth = await streams.depth(SERVICE)
    assert (depth.undelivered, depth.pending, depth.delayed, depth.due, depth.dead_letters) == (6, 2, 1, 0, 1)
    assert 0 <= depth.oldest_age_seconds < 10


ACTIONS = st.lists(
    st.tuples(
        st.sampled_from(["append", "append_again", "read", "done", "delay", "dead", "tick", "neglect", "leave"]),
        st.integers(0, 1),
    ),
    min_size=5,
    max_size=60,
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(actions=ACTIONS)
def test_a_command_is_always_in_exactly_one_place(actions: list[tuple[str, int]], redis_url: str) -> None:
    asyncio.run(_play(actions, redis_url))


async def _play(actions: list[tuple[str, int]], redis_url: str) -> None:
    async with AsyncExitStack() as stack:
        redis = await stack.enter_async_context(open_redis(redis_url))
        await redis.flushall()
        streams = CommandStreams(redis)
        consumers = [
            Consumer(
                service=SERVICE,
                redis=redis,
                reader=await stack.enter_async_context(open_redis(redis_url, max_connections=1)),
                lease_seconds=0.001,
                max_deliveries=1000,
            )
            for _ in range(2)
        ]
        await consumers[0].ensure_group()
        held: list[dict[str, Delivery]] = [{}, {}]
        envelopes: list[Envelope] = []
        verdicts: Counter[str] = Counter()
        for action, who in actions:
            consumer, mine = consumers[who], held[who]
            match action:
                case "append":
                    envelopes.append(make_envelope())
                    await streams.append(envelopes[-1:])
                case "append_again":
                    again = [e for e in envelopes if not verdicts[str(e.id)]]
                    assert not any(entry.is_new for entry in await streams.append(again, again=True))
                case "read":
                    mine |= {d.entry_id: d for d in await consumer.read(count=3, block_seconds=0.001)}
                case "done" | "delay" | "dead" if mine:
                    _, delivery = mine.popitem()
                    envelope = Envelope.from_json(delivery.body)
                    finish = Finish(
                        delivery=delivery, outcome=action, operation=str(envelope.id), envelope=delivery.body
                    )
                    [accepted] = await consumer.finish([finish])
                    if accepted and action != "delay":
                        verdicts[str(envelope.id)] += 1
                case "tick" | "neglect":
                    await asyncio.sleep(0.003)
                    tick = await consumer.tick(mine if action == "tick" else {}, free=2)
                    if action == "neglect":
                        mine.clear()  # the process forgot what it held
                    for lost in tick.lost:
                        del mine[lost]
                    mine |= {d.entry_id: d for d in tick.taken}
                case "leave":
                    await consumer.leave()
                    mine.clear()
                case _:
                    pass
            await _check_places(redis, envelopes, verdicts)


async def _check_places(redis: Redis, envelopes: list[Envelope], verdicts: Counter[str]) -> None:
    assert max(verdicts.values(), default=0) <= 1
    entries = dict(await redis.xrange(KEYS.commands))
    [group] = await redis.xinfo_groups(KEYS.commands)
    undelivered = await redis.xrange(KEYS.commands, min=b"(" + group["last-delivered-id"])
    pending = [e["message_id"] for e in await redis.xpending_range(KEYS.commands, "workers", "-", "+", 1000)]
    delayed = await redis.zrange(KEYS.delayed, 0, -1)
    bodies = [fields[b"command"] for _, fields in undelivered]
    bodies += [entries[entry_id][b"command"] for entry_id in pending] + delayed
    places = Counter(str(Envelope.from_json(body).id) for body in bodies)
    unfinished = {str(envelope.id): 1 for envelope in envelopes if not verdicts[str(envelope.id)]}
    assert places == unfinished
    assert {member.decode() for member in await redis.smembers(KEYS.open)} == set(unfinished)
