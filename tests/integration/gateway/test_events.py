"""Event streams: one read for all who watch, no gap and no double, and what a slow watcher is sent."""

from __future__ import annotations

import asyncio
import json
import random
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis

from gateway.events.hub import Hub, open_hub
from gateway.events.log import KEPT
from gateway.events.watching import Watcher
from sandbox.embedded.valkey import running_valkey
from shared.clock import utcnow
from shared.domain.event import Event, run_event
from shared.domain.ids import CampaignId, EventId, RunId, TargetId, new_id
from shared.domain.run import RunState
from shared.outbox import Outbox
from shared.postgres import runs, targets
from shared.postgres.pool import Pool
from shared.streams.connection import open_redis
from shared.streams.events import RunEvents
from tests.integration.campaigns.rows import insert_campaign, insert_run, make_target

STATES = ("pending", "preparing", "prepared", "publishing", "open", "merged")


@dataclass
class World:
    """A run with targets, and what happens to them."""

    pool: Pool
    outbox: Outbox
    campaign_id: CampaignId
    run_id: RunId
    states: dict[TargetId, str]

    async def move(self, target_ids: Sequence[TargetId]) -> None:
        """Moves each to its next state, and tells of it, in one transaction."""
        async with self.outbox.transaction() as work:
            for target_id in target_ids:
                before = self.states[target_id]
                after = self.states[target_id] = STATES[(STATES.index(before) + 1) % len(STATES)]
                await work.conn.execute("UPDATE targets SET state = $2 WHERE id = $1", target_id, after)
                await work.emit(
                    Event(
                        id=EventId(new_id()),
                        run_id=self.run_id,
                        target_id=target_id,
                        type=f"target.{after}",
                        payload={"repository": "acme/api", "from": before, "to": after},
                        occurred_at=utcnow(),
                    )
                )

    async def end(self, state: RunState = RunState.COMPLETED) -> None:
        async with self.outbox.transaction() as work:
            assert await runs.move_run(work.conn, self.run_id, to=state)
            await work.emit(run_event(self.run_id, state, now=utcnow()))

    @property
    def counts(self) -> Counter[str]:
        return Counter(self.states.values())


@dataclass
class Browser:
    """What a client makes of what it is sent: as an `EventSource` and a page do."""

    last_event_id: str = ""
    counts: Counter[str] = field(default_factory=Counter[str])
    states: dict[str, str] = field(default_factory=dict[str, str])
    names: list[str] = field(default_factory=list[str])
    seen: list[str] = field(default_factory=list[str])
    contents: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])

    def read(self, text: bytes) -> None:
        for block in text.decode().split("\n\n"):
            fields = dict(line.split(": ", 1) for line in block.splitlines() if not line.startswith(":"))
            self.last_event_id = fields.get("id", self.last_event_id)
            if "event" in fields:
                self._apply(fields["event"], json.loads(fields["data"]))

    def _apply(self, name: str, content: dict[str, Any]) -> None:
        self.names.append(name)
        self.contents.append(content)
        if name == "snapshot" and "run" in content:
            self.counts = Counter(content["counts"])
        if name.startswith("target."):
            self.seen.append(content["id"])
            self.counts[content["payload"]["from"]] -= 1
            self.counts[content["payload"]["to"]] += 1
            self.states[content["target_id"]] = content["payload"]["to"]

    def watcher(self, hub: Hub, run_id: RunId | None) -> Watcher:
        return Watcher(hub, run_id, last_event_id=self.last_event_id or None)


@pytest.fixture
async def hub(pool: Pool, redis: Redis) -> AsyncIterator[Hub]:
    async with open_hub(pool, redis, asyncio.Event()) as hub:
        yield hub


async def make_world(pool: Pool, redis: Redis, *, size: int = 20, name: str = "notice") -> World:
    async with pool.acquire() as conn:
        campaign_id = await insert_campaign(conn, name=name)
        run_id = await insert_run(conn, campaign_id)
        planned = [make_target(run_id, campaign_id, number=number) for number in range(size)]
        await targets.insert_targets(conn, planned)
    return World(pool, Outbox(pool, redis), campaign_id, run_id, {target.id: "pending" for target in planned})


@pytest.fixture
async def world(pool: Pool, redis: Redis) -> World:
    return await make_world(pool, redis)


@asynccontextmanager
async def watching(browser: Browser, hub: Hub, run_id: RunId | None) -> AsyncIterator[Watcher]:
    watcher = browser.watcher(hub, run_id)
    try:
        yield watcher
    finally:
        watcher.close()


async def watch_to_the_end(browser: Browser, hub: Hub, run_id: RunId) -> None:
    async with watching(browser, hub, run_id) as watcher:
        while text := await watcher.next():
            browser.read(text)


async def test_who_comes_back_fifty_times_misses_nothing_and_gets_nothing_twice(hub: Hub, world: World) -> None:
    async def come_and_go(chance: random.Random) -> Browser:
        browser, times = Browser(), 0
        while "end" not in browser.names:
            async with watching(browser, hub, world.run_id) as watcher:
                for _ in range(chance.randrange(1, 6) if times < 50 else 10_000):
                    if not (text := await watcher.next()):
                        break
                    browser.read(text)
            times += 1
            await asyncio.sleep(chance.random() * 0.02)
        assert times > 50
        return browser

    async def happen() -> None:
        chance = random.Random(7)
        for _ in range(300):
            await world.move(chance.sample(sorted(world.states), k=chance.choice([1, 1, 3])))
            await asyncio.sleep(0.005)
        await world.end()

    *browsers, _ = await asyncio.gather(*(come_and_go(random.Random(seed)) for seed in range(6)), happen())
    told = await world.pool.fetchval("SELECT count(*) FROM events WHERE target_id IS NOT NULL")
    for browser in browsers:
        assert +browser.counts == world.counts
        assert len(browser.seen) == len(set(browser.seen)) <= told
        assert browser.names[-2:] == ["run.completed", "end"]


async def test_who_comes_back_with_an_id_gets_exactly_what_followed_it(hub: Hub, world: World) -> None:
    browser = Browser()
    ids = sorted(world.states)
    await world.move(ids)
    await asyncio.sleep(0)
    async with watching(browser, hub, world.run_id) as watcher:
        browser.read(await watcher.next())
        await world.move(ids)
        while len(browser.seen) < len(ids):
            browser.read(await watcher.next())
    for times in range(3, 30):  # more than the hub keeps when nobody watches: from Redis
        await world.move(ids)
        if times % 9 == 0:
            async with watching(browser, hub, world.run_id) as watcher:
                while +browser.counts != world.counts or len(browser.seen) % len(ids):
                    browser.read(await watcher.next())
    await world.end()
    await watch_to_the_end(browser, hub, world.run_id)
    assert browser.names.count("snapshot") == 1
    assert len(browser.seen) == len(set(browser.seen)) == len(ids) * 28
    assert +browser.counts == world.counts


async def test_two_hundred_watchers_are_one_read(hub: Hub, world: World, redis: Redis) -> None:
    browsers = [Browser() for _ in range(200)]
    watched = [asyncio.create_task(watch_to_the_end(each, hub, world.run_id)) for each in browsers]
    while not all(browser.names for browser in browsers):
        await asyncio.sleep(0.01)
    await redis.config_resetstat()
    rounds = 30
    for _ in range(rounds):
        await world.move(sorted(world.states)[:1])
        await asyncio.sleep(0.01)
    clients: list[dict[str, str]] = await redis.client_list()
    assert [client["cmd"] for client in clients].count("xread") == 1
    calls: dict[str, Any] = await redis.info("commandstats")
    assert 1 <= calls["cmdstat_xread"]["calls"] <= rounds + 3
    assert calls.get("cmdstat_xrange", {"calls": 0})["calls"] <= rounds + 3
    await world.end()
    await asyncio.gather(*watched)
    for browser in browsers:
        assert len(set(browser.seen)) == len(browser.seen) == rounds
        assert browser.names[-1] == "end"


async def test_a_slow_watcher_gets_the_newest_state_of_each_target(hub: Hub, world: World) -> None:
    fast, slow = Browser(), Browser()
    watching_fast = asyncio.create_task(watch_to_the_end(fast, hub, world.run_id))
    async with watching(slow, hub, world.run_id) as watcher:
        slow.read(await watcher.next())
        reading = asyncio.create_task(watcher.next())  # it waits for what is next, and then is busy for long
        for times in range(3 * KEPT // len(world.states)):
            await world.move(sorted(world.states))
            if times == 0:
                slow.read(await reading)
        await world.end()
        await watching_fast
        while text := await watcher.next():
            slow.read(text)
    assert len(fast.seen) > 1.9 * len(slow.seen)
    assert slow.states == fast.states == {str(each): state for each, state in world.states.items()}
    assert +slow.counts == +fast.counts == world.counts
    assert slow.names[-2:] == ["run.completed", "end"]


async def test_what_is_left_out_for_a_slow_watcher_may_be_asked_for_again(hub: Hub, world: World) -> None:
    slow = Browser()
    async with watching(slow, hub, world.run_id) as watcher:
        slow.read(await watcher.next())
        reading = asyncio.create_task(watcher.next())
        await asyncio.sleep(0)
        for _ in range(20):
            await world.move(sorted(world.states))
        slow.read(await reading)
        text = await watcher.next()
    half = text.split(b"\n\n")[: len(world.states) // 2]  # the connection breaks in the middle
    slow.read(b"\n\n".join(half) + b"\n\n")
    await world.end()
    await watch_to_the_end(slow, hub, world.run_id)
    assert +slow.counts == world.counts


async def test_a_run_that_has_ended_is_told_whole_and_ends(hub: Hub, world: World) -> None:
    late, back = Browser(), Browser()
    watched = asyncio.create_task(watch_to_the_end(back, hub, world.run_id))
    while not back.names:
        await asyncio.sleep(0.01)
    await world.end()
    await watched
    await watch_to_the_end(late, hub, world.run_id)
    assert late.names == ["snapshot", "end"]
    await watch_to_the_end(back, hub, world.run_id)  # as if it had lost the connection just before `end`
    assert back.names == ["snapshot", "run.completed", "end", "snapshot", "end"]


async def test_targets_that_were_planned_are_told_by_a_snapshot(hub: Hub, world: World) -> None:
    await world.pool.execute("UPDATE runs SET state = 'planning'")
    browser = Browser()
    async with watching(browser, hub, world.run_id) as watcher:
        browser.read(await watcher.next())
        async with world.outbox.transaction() as work:
            await runs.move_run(work.conn, world.run_id, to=RunState.RUNNING)
            planned = [make_target(world.run_id, world.campaign_id, number=number) for number in range(100, 105)]
            await targets.insert_targets(work.conn, planned)
            await work.emit(run_event(world.run_id, RunState.RUNNING, now=utcnow()))
        while browser.names != ["snapshot", "run.running", "snapshot"]:
            browser.read(await watcher.next())
    assert browser.counts == {"pending": 25}


async def test_a_gateway_that_is_stopped_ends_its_streams_without_end(pool: Pool, redis: Redis) -> None:
    world, stopping, browser = await make_world(pool, redis), asyncio.Event(), Browser()
    async with open_hub(pool, redis, stopping) as hub:
        watched = asyncio.create_task(watch_to_the_end(browser, hub, world.run_id))
        every = Browser().watcher(hub, None)
        assert b"event: snapshot" in await every.next()
        while not browser.names:
            await asyncio.sleep(0.01)
        stopping.set()
        await asyncio.wait_for(watched, 5)
        while await asyncio.wait_for(every.next(), 5):
            pass
        every.close()
    assert browser.names == ["snapshot"]


async def test_a_watcher_hears_that_the_gateway_is_still_there(pool: Pool, redis: Redis) -> None:
    world = await make_world(pool, redis)
    async with open_hub(pool, redis, asyncio.Event(), heartbeat_seconds=0.1) as hub:
        watcher = Browser().watcher(hub, world.run_id)
        assert (await watcher.next()).startswith(b"retry: ")
        assert await asyncio.wait_for(watcher.next(), 5) == b": still here\n\n"
        watcher.close()


async def test_watchers_go_on_where_redis_is_restarted_and_begin_again_where_it_lost_all(
    pool: Pool, tmp_path: Path
) -> None:
    with running_valkey(tmp_path) as server:
        async with open_redis(server.url) as redis, open_hub(pool, redis, asyncio.Event()) as hub:
            world = await make_world(pool, redis)
            browsers = [Browser() for _ in range(5)]
            watched = [asyncio.create_task(watch_to_the_end(each, hub, world.run_id)) for each in browsers]
            while not all(browser.names for browser in browsers):
                await asyncio.sleep(0.01)
            await world.move(sorted(world.states))
            await asyncio.to_thread(server.stop)
            await asyncio.to_thread(server.start)
            await world.move(sorted(world.states))
            while not all(+browser.counts == world.counts for browser in browsers):
                await asyncio.sleep(0.01)
            assert {browser.names.count("snapshot") for browser in browsers} == {1}
            await redis.flushall()
            while {browser.names.count("snapshot") for browser in browsers} != {2}:
                await asyncio.sleep(0.01)
            await world.move(sorted(world.states))
            await world.end()
            await asyncio.gather(*watched)
    for browser in browsers:
        assert +browser.counts == world.counts
        assert len(browser.seen) == len(set(browser.seen))


async def test_an_event_that_the_relay_brings_later_is_not_told_twice(hub: Hub, world: World, redis: Redis) -> None:
    target_id, *_ = sorted(world.states)
    async with world.outbox.transaction() as work:
        moved = Event(
            id=EventId(new_id()),
            run_id=world.run_id,
            target_id=target_id,
            type="target.preparing",
            payload={"from": "pending", "to": "preparing"},
            occurred_at=utcnow(),
        )
        await work.conn.execute("UPDATE targets SET state = 'preparing' WHERE id = $1", target_id)
        await work.emit(moved)
        work.events.clear()  # as if the process had died after the commit
    world.states[target_id] = "preparing"
    browser = Browser()
    async with watching(browser, hub, world.run_id) as watcher:
        browser.read(await watcher.next())
        assert browser.last_event_id == ""  # who comes back now is told all again
        await RunEvents(redis).append([moved])
        await world.move([target_id])
        while "target.prepared" not in browser.names:
            browser.read(await watcher.next())
        await world.move([target_id])
        browser.read(await watcher.next())
    assert browser.names == ["snapshot", "target.prepared", "target.publishing"]
    assert browser.last_event_id
    assert +browser.counts == world.counts


async def test_all_runs_are_told_with_their_counts(hub: Hub, pool: Pool, redis: Redis) -> None:
    first = await make_world(pool, redis, size=10)
    browser = Browser()
    async with watching(browser, hub, None) as watcher:
        browser.read(await watcher.next())
        [known] = browser.contents[0]["runs"]
        assert (known["run"]["id"], known["counts"]) == (str(first.run_id), {"pending": 10})
        second = await make_world(pool, redis, size=3, name="other")
        async with second.outbox.transaction() as work:
            await work.emit(run_event(second.run_id, RunState.RUNNING, now=utcnow()))
        for _ in range(20):
            await first.move(sorted(first.states))

        async def until(world: World, state: str) -> None:
            while True:
                latest = {each["run"]["id"]: each for each in browser.contents if "counts" in each}
                found = latest.get(str(world.run_id))
                if found and (found["run"]["state"], Counter(found["counts"])) == (state, world.counts):
                    return
                browser.read(await asyncio.wait_for(watcher.next(), 10))

        await until(second, "running")
        await until(first, "running")
        await first.end()
        await until(first, "completed")
    assert not browser.seen  # of targets it says nothing
    assert browser.names.count("progress") < 10
    assert browser.names.count("run.completed") == 1


async def test_who_comes_back_to_all_runs_misses_none(hub: Hub, pool: Pool, redis: Redis) -> None:
    browser = Browser()
    async with watching(browser, hub, None) as watcher:
        browser.read(await watcher.next())
    world = await make_world(pool, redis)
    async with world.outbox.transaction() as work:
        await work.emit(run_event(world.run_id, RunState.RUNNING, now=utcnow()))
    await world.end(RunState.FAILED)
    async with watching(browser, hub, None) as watcher:
        while browser.names[-2:] != ["run.failed", "snapshot"]:
            browser.read(await asyncio.wait_for(watcher.next(), 10))
    assert browser.names == ["snapshot", "run.running", "run.failed", "snapshot"]
    assert browser.contents[-1] == {"runs": []}
