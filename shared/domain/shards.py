"""Shards: the parts of a selection that is being made, each asked for page by page, so that it goes on where it was."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True)
class NewShard:
    """What is to be asked, for the entry of `on` with index `entry`.

    `path` orders the shards of a selection; parts of a divided shard have its path and one more step.
    `request` says what is asked, `expected` how many repositories it finds, None where that is not known.
    """

    path: str
    entry: int
    request: Mapping[str, Any]
    expected: int | None = None

    def part(self, number: int, request: Mapping[str, Any], *, expected: int | None) -> NewShard:
        """A part of it, where it is divided."""
        return NewShard(path=f"{self.path}.{number:02}", entry=self.entry, request=request, expected=expected)


@dataclass(frozen=True, kw_only=True)
class Shard(NewShard):
    """A shard and how far it is.

    `cursor` leads to the next page, None for the first; since the first one, `given` were found on `asked` pages.
    `stored` are the candidates that it has in all, `restarts` how often it began anew.
    """

    cursor: str | None = None
    asked: int = 0
    given: int = 0
    stored: int = 0
    restarts: int = 0
