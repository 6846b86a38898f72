"""Pages that GitHub can answer in time: it ends a query after 10 s, so one that takes longer is asked for less."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from ..errors import GitHubUnavailable

LARGEST = 100
"""GitHub gives no more nodes of one connection at once, and takes no more ids."""

SMALLEST = 5
_ANSWERS_BEFORE_GROWING = 10
_TIMEOUT_STATUSES = frozenset({None, 200, 408, 502, 504})
T = TypeVar("T")
W = TypeVar("W")


class PageSize:
    """How many to ask for at once: halved where GitHub does not answer in time, doubled after some answers."""

    def __init__(self, *, largest: int = LARGEST, smallest: int = SMALLEST) -> None:
        self.size = largest
        self._largest, self._smallest = largest, smallest
        self._answers = 0

    async def ask(self, question: Callable[[int], Awaitable[T]]) -> T:
        """The answer to `question(size)`, asked again for less where it takes too long.

        Raises `GitHubUnavailable` where even the smallest page does.
        """
        while True:
            try:
                answer = await question(self.size)
            except GitHubUnavailable as error:
                if error.status not in _TIMEOUT_STATUSES or self.size <= self._smallest:
                    raise
                self.size, self._answers = max(self.size // 2, self._smallest), 0
            else:
                self._answers += 1
                if self._answers >= _ANSWERS_BEFORE_GROWING:
                    self.size, self._answers = min(self.size * 2, self._largest), 0
                return answer

    async def ask_for_all(self, wanted: Sequence[W], question: Callable[[Sequence[W]], Awaitable[None]]) -> None:
        """Asks `question(batch)` for all that is wanted, in order, so many at once as GitHub can answer in time.

        Raises what `ask` raises.
        """
        position = 0
        while position < len(wanted):

            async def ask(size: int, start: int = position) -> int:
                batch = wanted[start : start + size]
                await question(batch)
                return len(batch)

            position += await self.ask(ask)
