"""Semaphores: never more holders than leases, first come first served, and a dead holder's lease comes back."""

from __future__ import annotations

import asyncio

import pytest
from redis.asyncio import Redis

from shared.streams.semaphores import Semaphore, SemaphoreTaken


async def test_never_more_hold_a_lease_than_there_are(redis: Redis) -> None:
    running = most = 0

    async def work() -> None:
        nonlocal running, most
        async with Semaphore(redis, "one", leases=3).held(wait_seconds=10):
            running += 1
            most = max(most, running)
            await asyncio.sleep(0.01)
            running -= 1

    await asyncio.gather(*(work() for _ in range(30)))
    assert most == 3


async def test_who_came_first_is_served_first(redis: Redis) -> None:
    semaphore = Semaphore(redis, "one", leases=1)
    first = await semaphore.acquire()
    served: list[int] = []

    async def ask(number: int) -> None:
        lease = await semaphore.acquire(wait_seconds=10)
        served.append(number)
        await semaphore.release(lease)

    waiting: list[asyncio.Task[None]] = []
    for number in range(5):
        waiting.append(asyncio.create_task(ask(number)))
        await asyncio.sleep(0.02)
    await semaphore.release(first)
    await asyncio.gather(*waiting)
    assert served == [0, 1, 2, 3, 4]


async def test_who_gives_up_keeps_no_place(redis: Redis) -> None:
    semaphore = Semaphore(redis, "one", leases=1)
    first = await semaphore.acquire()
    with pytest.raises(SemaphoreTaken, match="1 wait"):
        await semaphore.acquire(wait_seconds=0.02)
    await semaphore.release(first)
    await semaphore.acquire()


async def test_a_dead_holders_lease_comes_back_when_it_ends_and_its_late_acts_are_refused(redis: Redis) -> None:
    semaphore = Semaphore(redis, "one", leases=1, lease_seconds=0.2)
    dead = await semaphore.acquire()
    with pytest.raises(SemaphoreTaken):
        await semaphore.acquire()
    successor = await semaphore.acquire(wait_seconds=1)
    assert successor.fence > dead.fence
    assert not await semaphore.renew(dead)
    assert not await semaphore.release(dead)
    with pytest.raises(SemaphoreTaken):  # the late release freed nothing
        await semaphore.acquire()
    assert await semaphore.renew(successor)


async def test_a_lease_is_renewed_while_its_block_runs(redis: Redis) -> None:
    semaphore = Semaphore(redis, "one", leases=1, lease_seconds=0.15)
    async with semaphore.held():
        for _ in range(10):
            await asyncio.sleep(0.05)
            with pytest.raises(SemaphoreTaken):
                await semaphore.acquire()
    await semaphore.acquire()
