"""Budgets: never exceeded in any window, nearly all used, agreed on by all processes."""

from __future__ import annotations

import asyncio
import bisect
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import accumulate
from pathlib import Path

import fakeredis
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from redis.asyncio import Redis

from shared.errors import InvalidInput
from shared.streams.budgets import Budgets, Window
from shared.streams.connection import open_redis

HAMMER = """
import asyncio, sys, time
from shared.streams.budgets import Budgets, Window, _RESERVE, _key
from shared.streams.connection import open_redis

async def main(url, limit, window, seconds):
    async with open_redis(url) as redis:
        keys = [_key("one", "pause:"), _key("one", "window:units")]
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            now_ms, wait_ms, *_ = await _RESERVE.run(redis, keys, [1, 1, 1, limit, int(window * 1000), 1])
            if wait_ms == 0:
                print(now_ms)

asyncio.run(main(sys.argv[1], int(sys.argv[2]), float(sys.argv[3]), float(sys.argv[4])))
"""


def most_in_a_window(moments: list[int], window_ms: int) -> int:
    """The largest number of moments in any half-open window of that length."""
    return max(
        (bisect.bisect_left(moments, moment + window_ms) - index for index, moment in enumerate(moments)), default=0
    )


@pytest.mark.slow
def test_eight_processes_never_exceed_a_budget_and_use_nearly_all_of_it(redis: Redis, redis_url: str) -> None:
    limit, window, seconds = 400, 2.0, 9.0
    command = [sys.executable, "-c", HAMMER, redis_url, str(limit), str(window), str(seconds)]
    root = Path(__file__).parents[3]
    hammers = [subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, text=True) for _ in range(8)]
    moments = sorted(int(line) for hammer in hammers for line in hammer.communicate(timeout=60)[0].split())
    assert most_in_a_window(moments, int(window * 1000)) == limit
    periods = (moments[-1] - moments[0]) / (window * 1000 * (1 + 1 / 128))
    possible = limit * (int(periods) + 1)  # each period's units are free again when it has left the window
    print(f"{len(moments)} of {possible} units used in {periods:.2f} windows")
    assert len(moments) >= 0.98 * possible


@asynccontextmanager
async def _client(server: str, redis_url: str) -> AsyncIterator[Redis]:
    if server == "fakeredis":
        yield fakeredis.FakeAsyncRedis(version=(7, 0))
        return
    async with open_redis(redis_url) as client:
        await client.flushall()
        yield client


@pytest.mark.parametrize("server", ["valkey", "fakeredis"])
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(asked=st.lists(st.tuples(st.integers(1, 4), st.sampled_from([0.0, 0.0, 0.004, 0.02])), min_size=5, max_size=40))
def test_whatever_is_asked_no_window_holds_more_than_the_limit(
    asked: list[tuple[int, float]], server: str, redis_url: str
) -> None:
    asyncio.run(_ask_and_check(asked, server, redis_url))


async def _ask_and_check(asked: list[tuple[int, float]], server: str, redis_url: str) -> None:
    windows = {"short": Window(5, 0.05), "long": Window(12, 0.2)}
    granted: list[tuple[float, float, int]] = []
    async with _client(server, redis_url) as redis:
        budgets = Budgets(redis, windows)
        for units, pause in asked:
            before = time.time()
            denial = await budgets.reserve("one", {"short": units, "long": units})
            if denial is None:
                granted.append((before, time.time(), units))
            else:
                assert denial.budget in windows
                assert 0 < denial.seconds <= windows[denial.budget].seconds * (1 + 2 / 128) + 0.002
            await asyncio.sleep(pause)
    # each grant happened between two readings of the clock: none that surely fall into one window may exceed it
    for window in windows.values():
        for index, (before, _, _) in enumerate(granted):
            surely = [units for _, after, units in granted[index:] if after < before + window.seconds - 0.002]
            assert max(accumulate(surely), default=0) <= window.limit


async def test_all_are_taken_or_none(redis: Redis) -> None:
    budgets = Budgets(redis, {"minute": Window(80, 60), "hour": Window(3, 3600)})
    for _ in range(3):
        assert await budgets.reserve("one", {"minute": 1, "hour": 1}) is None
    denial = await budgets.reserve("one", {"minute": 1, "hour": 1})
    assert denial is not None
    assert denial.budget == "hour"
    assert 3500 < denial.seconds <= 3600 * (1 + 1 / 128) + 1
    assert await budgets.reserve("one", {"minute": 77}) is None  # the denied one took nothing of the minute
    assert await budgets.reserve("two", {"minute": 1, "hour": 1}) is None


async def test_those_who_are_denied_come_again_one_after_the_other(redis: Redis) -> None:
    budgets = Budgets(redis, {"window": Window(3, 12.8)})  # its buckets are of a tenth of a second
    for _ in range(3):
        assert await budgets.reserve("one", {"window": 1}) is None
        await asyncio.sleep(0.2)
    denials = [await budgets.reserve("one", {"window": 1}) for _ in range(8)]
    turns = [denial.retry_seconds - denials[0].seconds for denial in denials if denial and denials[0]]
    assert turns == pytest.approx([0, 0.2, 0.4, 12.8, 13, 13.2, 25.6, 25.8], abs=0.15)


async def test_more_than_could_ever_be_had_is_refused(redis: Redis) -> None:
    with pytest.raises(InvalidInput, match="81 units"):
        await Budgets(redis, {"minute": Window(80, 60)}).reserve("one", {"minute": 81})


async def test_the_room_tells_when_many_can_be_had_and_takes_nothing(redis: Redis) -> None:
    budgets = Budgets(redis, {"hour": Window(500, 3600)})
    empty = await budgets.room("one", ["hour"])
    assert (empty.seconds_until(0), empty.seconds_until(500), empty.seconds_until(10_000)) == (0, 0, 19 * 3600)
    assert await budgets.reserve("one", {"hour": 500}) is None
    full = await budgets.room("one", ["hour", "unknown"])
    assert 3600 - 60 < full.seconds_until(1) == full.seconds_until(500) <= 3600 + 60
    assert full.seconds_until(10_000) == pytest.approx(full.seconds_until(500) + 19 * 3600)
    assert empty.seconds_until(500) == 0


async def test_a_pause_is_in_the_room_of_its_lane(redis: Redis) -> None:
    budgets = Budgets(redis, {"hour": Window(500, 3600)})
    await budgets.pause("one", seconds=40, lane="write")
    assert 39 < (await budgets.room("one", ["hour"], lane="write")).seconds_until(1) <= 40
    assert (await budgets.room("one", ["hour"])).seconds_until(1) == 0


@pytest.mark.parametrize("server", ["valkey", "fakeredis"])
async def test_the_room_agrees_with_what_reserving_says(server: str, redis_url: str) -> None:
    async with _client(server, redis_url) as redis:
        budgets = Budgets(redis, {"window": Window(10, 6.4)})  # its buckets are of a twentieth of a second
        for units in (3, 4, 2):
            assert await budgets.reserve("one", {"window": units}) is None
            await asyncio.sleep(0.1)
        room = await budgets.room("one", ["window"])
        for units in range(1, 11):
            denial = await budgets.denial("one", {"window": units})
            assert room.seconds_until(units) == pytest.approx(denial.seconds if denial else 0, abs=0.04)


async def test_the_lesser_of_what_we_think_and_what_github_says_counts_until_the_reset(redis: Redis) -> None:
    budgets = Budgets(redis, {})
    assert await budgets.reserve("one", {}, quotas={"core": 10}) is None  # nothing is known yet
    await budgets.learn("one", "core", limit=5000, remaining=3, seconds_to_reset=0.5)
    await budgets.learn("one", "core", limit=5000, remaining=4000, seconds_to_reset=0.5)  # was long on its way
    assert await budgets.left("one", "core") == 3
    assert await budgets.reserve("one", {}, quotas={"core": 2}) is None
    denial = await budgets.reserve("one", {}, quotas={"core": 2})
    assert denial is not None
    assert denial.budget == "core"
    assert 0 < denial.seconds <= 0.5
    await asyncio.sleep(denial.seconds + 0.01)
    assert await budgets.reserve("one", {}, quotas={"core": 2}) is None
    await budgets.learn("one", "core", limit=5000, remaining=4999, seconds_to_reset=3600)
    assert await budgets.left("one", "core") == 4999


async def test_a_pause_is_everybodys_and_doubles_until_something_succeeds(redis: Redis) -> None:
    budgets = Budgets(redis, {})
    assert await budgets.pause("one", lane="write") == pytest.approx(60, abs=0.1)
    assert await budgets.pause("one", lane="write") == pytest.approx(60, abs=0.1)  # of the same burst
    assert await budgets.reserve("one", {}) is None  # reads go on
    denial = await Budgets(redis, {}).reserve("one", {}, lane="write")
    assert denial is not None
    assert denial.budget == "pause"
    for expected in (120, 240, 480, 900, 900):
        await redis.delete("octobatch:{budget:one}:pause:write")
        assert await budgets.pause("one", lane="write") == pytest.approx(expected, abs=0.1)
    await budgets.succeeded("one")
    await redis.delete("octobatch:{budget:one}:pause:write")
    assert await budgets.pause("one", lane="write") == pytest.approx(60, abs=0.1)
    assert await budgets.pause("one", seconds=5) == pytest.approx(5, abs=0.1)
    assert await budgets.reserve("one", {}) is not None
