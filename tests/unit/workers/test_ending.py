"""A task that swallows a cancellation ends all the same."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from workers.ending import end


async def test_a_task_that_swallows_its_cancellation_is_cancelled_again() -> None:
    cancelled = 0

    async def stubborn() -> None:
        nonlocal cancelled
        while cancelled < 2:
            with suppress(asyncio.CancelledError):
                await asyncio.sleep(60)
            cancelled += 1

    async def failing() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            raise ConnectionError("away")

    tasks = [asyncio.create_task(stubborn()), asyncio.create_task(failing())]
    await asyncio.sleep(0)
    await end(tasks)
    assert all(task.done() for task in tasks)
    assert cancelled == 2
