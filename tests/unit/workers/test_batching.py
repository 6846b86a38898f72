"""One round trip for all that is asked in one turn of the loop."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from workers.batching import Batcher


async def test_what_is_asked_in_one_turn_goes_in_one_batch_and_each_gets_its_own_answer() -> None:
    batches: list[list[int]] = []

    async def double(items: Sequence[int]) -> list[int]:
        batches.append(list(items))
        return [item * 2 for item in items]

    batcher = Batcher(double)
    assert await asyncio.gather(*(batcher(number) for number in range(5))) == [0, 2, 4, 6, 8]
    assert await batcher(9) == 18
    assert batches == [[0, 1, 2, 3, 4], [9]]


async def test_an_error_is_everybodys_and_the_next_batch_is_tried() -> None:
    is_broken = True

    async def flush(items: Sequence[int]) -> Sequence[int]:
        if is_broken:
            raise ConnectionError("away")
        return items

    batcher = Batcher(flush)
    results = await asyncio.gather(batcher(1), batcher(2), return_exceptions=True)
    assert [type(result) for result in results] == [ConnectionError, ConnectionError]
    is_broken = False
    assert await batcher(3) == 3


async def test_a_caller_that_gives_up_does_not_disturb_the_others() -> None:
    release = asyncio.Event()

    async def flush(items: Sequence[int]) -> Sequence[int]:
        await release.wait()
        return items

    batcher = Batcher(flush)
    patient, impatient = asyncio.create_task(batcher(1)), asyncio.create_task(batcher(2))
    await asyncio.sleep(0)
    impatient.cancel()
    release.set()
    assert await patient == 1
    assert impatient.cancelled()


async def test_closing_ends_who_waits() -> None:
    async def flush(items: Sequence[int]) -> Sequence[int]:
        await asyncio.Event().wait()
        return items

    batcher = Batcher(flush)
    waiting = asyncio.create_task(batcher(1))
    for _ in range(3):
        await asyncio.sleep(0)
    await batcher.close()
    with pytest.raises(asyncio.CancelledError):
        await waiting
