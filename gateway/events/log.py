"""The newest messages about one thing. Each watcher reads them at its own pace and holds no more than a number."""

from __future__ import annotations

import asyncio
import time
from bisect import bisect_left
from collections.abc import Sequence

from .messages import Message

KEPT = 500
"""Messages that are kept at least, at most twice as many: who is further behind reads Redis."""


class Log:
    """Messages in order, numbered from 0 on; those of `numbers` are still there."""

    def __init__(self, position: str, order: tuple[int, int], *, kept: int = KEPT) -> None:
        self.position = position  # of the newest message, and before any came, where the log begins
        self.changed_at = time.monotonic()
        self._floor, self._floor_position = order, position
        self._kept = kept
        self._messages: list[Message] = []
        self._first = 0
        self._news = asyncio.Event()

    @property
    def end(self) -> int:
        """The number that the next message will have."""
        return self._first + len(self._messages)

    def append(self, messages: Sequence[Message]) -> None:
        """Adds messages, and wakes who waits for them."""
        self._messages.extend(messages)
        self.position = self._messages[-1].position
        if len(self._messages) > 2 * self._kept:
            gone = self._messages[: -self._kept]
            self._floor, self._floor_position = gone[-1].order, gone[-1].position
            self._first += len(gone)
            del self._messages[: len(gone)]
        self.wake()

    def wake(self) -> None:
        """Wakes who waits, with or without messages."""
        self.changed_at = time.monotonic()
        news, self._news = self._news, asyncio.Event()
        news.set()

    async def news(self) -> None:
        """Waits until it is woken."""
        await self._news.wait()

    def since(self, number: int) -> list[Message] | None:
        """The messages from this number on; None where they are not all kept any more."""
        return self._messages[number - self._first :] if number >= self._first else None

    def holds(self, position: str, order: tuple[int, int]) -> bool:
        """Whether the position is one that this log knows."""
        if position == self._floor_position:
            return True
        place = bisect_left(self._messages, order, key=lambda message: message.order)
        return place < len(self._messages) and self._messages[place].position == position

    def number_after(self, order: tuple[int, int]) -> int | None:
        """The number of the first message that comes after this place; None where it is not kept any more."""
        if order < self._floor:
            return None
        place = bisect_left(self._messages, order, key=lambda message: message.order)
        if place < len(self._messages) and self._messages[place].order == order and self._messages[place].event_id:
            place += 1
        return self._first + place
