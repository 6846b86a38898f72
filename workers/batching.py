"""Joins what is asked for at about the same time into one round trip."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


class Batcher(Generic[Item, Result]):
    """Calls `flush` with all items that came in one turn of the loop, or while the flush before was under way.

    So nothing waits where little is asked, and much goes in few round trips. Each caller gets its own result, or the
    error of its batch.
    """

    def __init__(self, flush: Callable[[Sequence[Item]], Awaitable[Sequence[Result]]]) -> None:
        self._flush = flush
        self._waiting: list[tuple[Item, asyncio.Future[Result]]] = []
        self._flushing: asyncio.Task[None] | None = None

    async def __call__(self, item: Item) -> Result:
        """What `flush` gives for `item`."""
        result: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, result))
        if self._flushing is None:
            self._flushing = asyncio.create_task(self._flush_all())
        return await result

    async def _flush_all(self) -> None:
        try:
            while self._waiting:
                await self._flush_waiting()
        finally:
            self._flushing = None

    async def _flush_waiting(self) -> None:
        batch, self._waiting = self._waiting, []
        try:
            results = await self._flush([item for item, _ in batch])
        except BaseException as error:
            for _, result in batch:
                if not result.done():
                    result.cancel() if isinstance(error, asyncio.CancelledError) else result.set_exception(error)
            if not isinstance(error, Exception):
                raise
        else:
            for (_, result), value in zip(batch, results, strict=True):
                if not result.done():  # its caller may have been cancelled
                    result.set_result(value)

    async def close(self) -> None:
        """Cancels what is under way, and who waits behind it."""
        for _, result in self._waiting:
            result.cancel()
        self._waiting.clear()
        if self._flushing:
            self._flushing.cancel()
            await asyncio.gather(self._flushing, return_exceptions=True)
