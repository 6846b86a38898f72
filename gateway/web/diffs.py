"""A unified diff, line by line, each with what it is: for a page to colour."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

MAX_LINES = 5000

Kind = Literal["file", "hunk", "added", "removed", "context"]

_STARTS: tuple[tuple[str, Kind], ...] = (
    ("diff --git ", "file"),
    ("@@", "hunk"),
    ("+++", "context"),
    ("---", "context"),
    ("+", "added"),
    ("-", "removed"),
)


@dataclass(frozen=True)
class DiffLine:
    """One line of a diff."""

    kind: Kind
    text: str


def diff_lines(diff: str) -> list[DiffLine]:
    """The first `MAX_LINES` lines of a diff."""
    return [DiffLine(_kind_of(line), line) for line in diff.splitlines()[:MAX_LINES]]


def _kind_of(line: str) -> Kind:
    for start, kind in _STARTS:
        if line.startswith(start):
            return kind
    return "context"
