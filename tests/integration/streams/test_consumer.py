"""The scripts of a consumer group, on a real server: nothing lost, nothing in two places, nothing finished twice."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta

import fakeredis
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from redis.asyncio import Redis

from shared.clock import utcnow
from shared.domain.ids import OperationId, RunId, new_id
from shared.domain.operation import Priority, Service
from shared.streams.commands import CommandStreams
from shared.streams.connection import open_redis
from shared.streams.consumer import Consumer, Delivery, Finish
from shared.streams.envelope import Envelope, item_of
from shared.streams.keys import ServiceKeys

SERVICE = Service.CAMPAIGNS
KEYS = ServiceKeys(SERVICE)


def make_envelope(**fields: object) -> Envelope:
    operation_id = OperationId(new_id())
    return Envelope(id=operation_id, service=SERVICE, type="x", dedupe_key=str(operation_id), actor="test", **fields)  # pyright: ignore


def done(delivery: Delivery) -> Finish:
    return Finish(delivery=delivery, outcome="done", item=item_of(delivery.body))


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
    finish = done(delivery)
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
    assert await first.finish([done(neglected)]) == [False]
    assert await second.finish([done(tick.taken[0])]) == [True]


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
    again = envelope.next_attempt().to_item()
    assert await consumer.finish([Finish(delivery=delivery, outcome="delay", item=again, delay_seconds=0.2)]) == [True]
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
    await first.finish([done(tick.taken[0])])
    assert len((await first.tick({}, free=10)).taken) == 1


async def test_trimming_drops_nothing_that_is_not_acknowledged(redis: Redis, make_consumer) -> None:
    consumer, streams = await make_consumer(), CommandStreams(redis)
    await streams.append([make_envelope() for _ in range(300)])
    deliveries = await consumer.read(count=200, block_seconds=0.1)
    await asyncio.sleep(0.01)
    finishes = [done(delivery) for delivery in deliveries if delivery is not deliveries[100]]
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
    item = envelopes[0].to_item()
    await consumer.finish(
        [
            Finish(delivery=one, outcome="delay", item=item, delay_seconds=60),
            Finish(delivery=two, outcome="dead", item=item, error="no"),
        ]
    )
    depth = await streams.depth(SERVICE)
    assert (depth.undelivered, depth.pending, depth.delayed, depth.due, depth.dead_letters) == (6, 2, 1, 0, 1)
    assert 0 <= depth.oldest_age_seconds < 10


def runs_of(deliveries: list[Delivery]) -> Counter[RunId | None]:
    return Counter(Envelope.from_json(delivery.body).run_id for delivery in deliveries)


async def test_runs_take_turns_however_many_commands_each_has(redis: Redis, make_consumer) -> None:
    consumer, streams = await make_consumer(), CommandStreams(redis)
    large, small = RunId(new_id()), RunId(new_id())
    await streams.append([make_envelope(run_id=large) for _ in range(1000)])
    await consumer.read(count=10, block_seconds=0.1)
    await streams.append([make_envelope(run_id=small) for _ in range(5)])
    assert runs_of(await consumer.read(count=12, block_seconds=0.1))[small] == 5
    assert runs_of(await consumer.read(count=20, block_seconds=0.1)) == {large: 20}


async def test_installations_take_turns_and_within_them_runs(redis: Redis, make_consumer) -> None:
    consumer, streams = await make_consumer(), CommandStreams(redis)
    many, one = [RunId(new_id()) for _ in range(9)], RunId(new_id())
    await streams.append([make_envelope(run_id=run, installation_id=1) for run in many for _ in range(20)])
    await streams.append([make_envelope(run_id=one, installation_id=2) for _ in range(50)])
    await consumer.read(count=2, block_seconds=0.1)
    shares = runs_of(await consumer.read(count=36, block_seconds=0.1))
    assert shares[one] == 18
    assert {shares[run] for run in many} == {2}


async def test_a_run_that_leaves_and_returns_gains_nothing(redis: Redis, make_consumer) -> None:
    consumer, streams = await make_consumer(), CommandStreams(redis)
    steady, returning = RunId(new_id()), RunId(new_id())
    await streams.append([make_envelope(run_id=steady) for _ in range(200)])
    seen: Counter[RunId | None] = Counter()
    for _ in range(40):
        await streams.append([make_envelope(run_id=returning)])  # never more than one at a time
        seen += runs_of(await consumer.read(count=1, block_seconds=0.1))
    assert seen[steady] >= 15


async def test_urgent_commands_go_first_and_starve_nobody(redis: Redis, make_consumer) -> None:
    consumer, streams = await make_consumer(), CommandStreams(redis)
    run = RunId(new_id())
    await streams.append([make_envelope(run_id=run) for _ in range(100)])
    await streams.append([make_envelope(priority=Priority.URGENT) for _ in range(100)])
    await consumer.read(count=1, block_seconds=0.1)  # was on the stream when they came
    shares = runs_of(await consumer.read(count=8, block_seconds=0.1))
    assert shares[None] >= 7
    shares = runs_of(await consumer.read(count=90, block_seconds=0.1))
    assert 8 <= shares[run] <= 12


async def test_a_consumer_that_waits_gets_what_is_appended_behind_a_backlog(redis: Redis, make_consumer) -> None:
    first, second = await make_consumer(), await make_consumer()
    await CommandStreams(redis).append([make_envelope() for _ in range(20)])
    assert len(await first.read(count=5, block_seconds=0.1)) == 5
    assert await redis.xlen(KEYS.commands) == 6  # one is kept on the stream for those who wait there
    assert len(await second.read(count=50, block_seconds=0.1)) == 15


async def test_commands_of_one_order_key_follow_each_other(redis: Redis, make_consumer) -> None:
    consumer, streams = await make_consumer(), CommandStreams(redis)
    envelopes = [make_envelope(order_key="target:1") for _ in range(3)]
    await streams.append([*envelopes, make_envelope(order_key="target:2")])
    [first, other] = await consumer.read(count=10, block_seconds=0.1)
    assert Envelope.from_json(first.body).id == envelopes[0].id
    assert (await streams.depth(SERVICE)).held == 2
    retried = Finish(delivery=first, outcome="delay", item=item_of(first.body), delay_seconds=0.05)
    await consumer.finish([retried, done(other)])
    assert await consumer.read(count=10, block_seconds=0.01) == []  # a retry keeps its place
    await asyncio.sleep(0.06)
    order: list[OperationId] = []
    for outcome in ("dead", "done", "done"):
        await consumer.tick({}, free=0)
        [delivery] = await consumer.read(count=10, block_seconds=0.1)
        order.append(Envelope.from_json(delivery.body).id)
        await consumer.finish([Finish(delivery=delivery, outcome=outcome, item=item_of(delivery.body))])
    assert order == [envelope.id for envelope in envelopes]
    assert (await streams.depth(SERVICE)).held == 0
    assert await redis.keys("*:order*") == []


async def test_a_command_does_not_begin_before_its_time(redis: Redis, make_consumer) -> None:
    consumer, streams = await make_consumer(), CommandStreams(redis)
    await streams.append([make_envelope(not_before=utcnow() + timedelta(seconds=0.3), order_key="a")])
    await streams.append([make_envelope(not_before=utcnow() - timedelta(seconds=1))])
    assert len(await consumer.read(count=10, block_seconds=0.01)) == 1
    assert (await consumer.tick({}, free=1)).due == 0
    await asyncio.sleep(0.35)
    assert (await consumer.tick({}, free=1)).due == 1
    assert len(await consumer.read(count=10, block_seconds=0.1)) == 1


async def test_a_retry_goes_before_what_its_run_has_not_begun(redis: Redis, make_consumer) -> None:
    consumer, streams = await make_consumer(), CommandStreams(redis)
    run = RunId(new_id())
    await streams.append([make_envelope(run_id=run) for _ in range(50)])
    [first] = await consumer.read(count=1, block_seconds=0.1)
    await consumer.finish([Finish(delivery=first, outcome="delay", item=item_of(first.body), delay_seconds=0)])
    await consumer.tick({}, free=0)
    assert first.body in [delivery.body for delivery in await consumer.read(count=2, block_seconds=0.1)]


async def test_a_stream_that_was_deleted_leaves_nothing_held(redis: Redis, make_consumer) -> None:
    consumer, streams = await make_consumer(), CommandStreams(redis)
    envelopes = [make_envelope(run_id=RunId(new_id()), order_key=f"target:{n % 3}") for n in range(9)]
    await streams.append(envelopes)
    [delayed] = await consumer.read(count=1, block_seconds=0.1)
    await consumer.finish([Finish(delivery=delayed, outcome="delay", item=item_of(delayed.body), delay_seconds=60)])
    await redis.delete(KEYS.commands)
    assert await consumer.read(count=10, block_seconds=0.01) == []
    missing = await streams.missing(SERVICE, [envelope.id for envelope in envelopes])
    assert set(missing) == {e.id for e in envelopes} - {Envelope.from_json(delayed.body).id}
    await streams.append([e for e in envelopes if e.id in missing], again=True)
    depth = await streams.depth(SERVICE)
    assert (depth.undelivered, depth.delayed, depth.held) == (2, 1, 6)


ACTIONS = st.lists(
    st.tuples(
        st.sampled_from(["append", "append_again", "read", "done", "delay", "dead", "tick", "neglect", "leave"]),
        st.integers(0, 3),
    ),
    min_size=5,
    max_size=60,
)
RUNS = [RunId(new_id()) for _ in range(4)]
ORDER_KEYS = [None, None, "target:a", "target:b"]


@asynccontextmanager
async def _clients(server: str, redis_url: str) -> AsyncIterator[tuple[Redis, Callable[[], Redis]]]:
    async with AsyncExitStack() as stack:
        if server == "fakeredis":
            fake = fakeredis.FakeServer(version=(7, 0))
            yield fakeredis.FakeAsyncRedis(server=fake), lambda: fakeredis.FakeAsyncRedis(server=fake)
            return
        redis = await stack.enter_async_context(open_redis(redis_url))
        await redis.flushall()
        yield redis, lambda: redis


@pytest.mark.parametrize("server", ["valkey", "fakeredis"])
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(actions=ACTIONS)
def test_a_command_is_always_in_exactly_one_place(actions: list[tuple[str, int]], redis_url: str, server: str) -> None:
    asyncio.run(_play(actions, redis_url, server))


async def _play(actions: list[tuple[str, int]], redis_url: str, server: str) -> None:
    async with _clients(server, redis_url) as (redis, reader):
        streams = CommandStreams(redis)
        consumers = [
            Consumer(service=SERVICE, redis=redis, reader=reader(), lease_seconds=0.001, max_deliveries=1000)
            for _ in range(2)
        ]
        await consumers[0].ensure_group()
        held: list[dict[str, Delivery]] = [{}, {}]
        envelopes: list[Envelope] = []
        verdicts: Counter[str] = Counter()
        for action, who in actions:
            consumer, mine = consumers[who % 2], held[who % 2]
            match action:
                case "append":
                    priority = Priority.URGENT if len(envelopes) % 5 == 4 else Priority.NORMAL
                    envelopes.append(
                        make_envelope(
                            run_id=RUNS[who], installation_id=who // 2, order_key=ORDER_KEYS[who], priority=priority
                        )
                    )
                    await streams.append(envelopes[-1:])
                case "append_again":
                    again = [e for e in envelopes if not verdicts[str(e.id)]]
                    assert not any(entry.is_new for entry in await streams.append(again, again=True))
                case "read":
                    mine |= {d.entry_id: d for d in await consumer.read(count=3, block_seconds=0.001)}
                case "done" | "delay" | "dead" if mine:
                    _, delivery = mine.popitem()
                    envelope = Envelope.from_json(delivery.body)
                    finish = Finish(delivery=delivery, outcome=action, item=envelope.to_item())
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
            await _check_places(redis, streams, envelopes, verdicts)


async def _check_places(
    redis: Redis, streams: CommandStreams, envelopes: list[Envelope], verdicts: Counter[str]
) -> None:
    assert max(verdicts.values(), default=0) <= 1
    entries = dict(await redis.xrange(KEYS.commands))
    [group] = await redis.xinfo_groups(KEYS.commands)
    undelivered = await redis.xrange(KEYS.commands, min=b"(" + group["last-delivered-id"])
    pending = [e["message_id"] for e in await redis.xpending_range(KEYS.commands, "workers", "-", "+", 1000)]
    delayed = await redis.zrange(KEYS.delayed, 0, -1)
    waiting = await _lists(redis, "lane:*")
    behind = await _lists(redis, "order:*")
    begun = [fields[b"command"] for _, fields in undelivered]
    begun += [entries[entry_id][b"command"] for entry_id in pending] + delayed + waiting
    open_envelopes = [Envelope.from_json(body.rpartition(b"\n")[2]) for body in begun]
    keys = Counter(envelope.order_key for envelope in open_envelopes if envelope.order_key)
    assert max(keys.values(), default=0) <= 1
    places = Counter(str(envelope.id) for envelope in open_envelopes)
    places.update(str(Envelope.from_json(body.rpartition(b"\n")[2]).id) for body in behind)
    unfinished = {str(envelope.id): 1 for envelope in envelopes if not verdicts[str(envelope.id)]}
    assert places == unfinished
    assert {member.decode() for member in await redis.smembers(KEYS.open)} == set(unfinished)
    depth = await streams.depth(SERVICE)
    assert depth.undelivered == len(undelivered) + len(waiting)
    assert (depth.pending, depth.delayed, depth.held) == (len(pending), len(delayed), len(behind))
    assert undelivered or not waiting  # whoever waits for the stream is woken


async def _lists(redis: Redis, pattern: str) -> list[bytes]:
    stem = KEYS.commands.removesuffix("commands")
    return [item async for key in redis.scan_iter(f"{stem}{pattern}") for item in await redis.lrange(key, 0, -1)]
