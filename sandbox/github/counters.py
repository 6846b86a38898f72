"""How many requests of each kind came in, for tests and benchmarks that count calls."""

from __future__ import annotations

from collections import Counter


class Counters:
    """Counts by kind: `rest GET /repos/{owner}/{repo}`, `graphql query`, `graphql mutation`, `git fetch`, …

    `limited` counts those that were refused because a limit was reached.
    """

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()

    def add(self, kind: str, count: int = 1) -> None:
        """Counts a request."""
        self._counts[kind] += count

    def read(self) -> dict[str, int]:
        """All counts so far."""
        return dict(sorted(self._counts.items()))

    def clear(self) -> None:
        """Begins again at nothing."""
        self._counts.clear()
