"""Joins what is asked for during one turn of the event loop into one round trip."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


class Batcher(Generic[Item, Result]):
    """Calls `flush` with all items of a loop turn; each caller gets its own result, or the error of all."""

    def __init__(self, flush: Callable[[Sequence[Item]], Awaitable[Sequence[Result]]]) -> None:
        self._flush = flush
        self._waiting: list[tuple[Item, asyncio.Future[Result]]] = []
        self._flushes: set[asyncio.Task[None]] = set()

    async def __call__(self, item: Item) -> Result:
        """What `flush` gives for `item`."""
        result: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, result))
        if len(self._waiting) == 1:
            task = asyncio.create_task(self._flush_waiting())
            self._flushes.add(task)
            task.add_done_callback(self._flushes.discard)
        return await result

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
        """Cancels what is under way."""
        flushes = list(self._flushes)
        for task in flushes:
            task.cancel()
        await asyncio.gather(*flushes, return_exceptions=True)
