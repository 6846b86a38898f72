"""What a search finds: how many, and pages of the first 1,000."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")

CAP = 1000
"""Results that GitHub gives for one search, whatever it counts."""


@dataclass(frozen=True)
class Found(Generic[T]):
    """`total` counts all; `fetch(offset, limit)` reads some, in the order of the search."""

    total: int
    fetch: Callable[[int, int], Sequence[T]]

    @property
    def reachable(self) -> int:
        """How many can be had."""
        return min(self.total, CAP)

    def page(self, offset: int, limit: int) -> Sequence[T]:
        """At most `limit` results from `offset` on, none past the cap."""
        limit = max(0, min(limit, self.reachable - offset))
        return self.fetch(offset, limit) if limit else []
