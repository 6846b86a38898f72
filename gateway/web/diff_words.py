"""Which words of two lines differ: so that a reader sees one changed version number and not two long lines."""

from __future__ import annotations

import re
from collections.abc import Sequence
from difflib import SequenceMatcher

from .diffs import DiffLine, LineKind

_WORD = re.compile(r"\w+|\s+|[^\w\s]")
_MOST_WORDS = 400
_LEAST_ALIKE = 0.35

Ranges = tuple[tuple[int, int], ...]
"""Parts of a line: the index of the first character, and of the one after the last."""


def changed_words(lines: Sequence[DiffLine]) -> dict[int, Ranges]:
    """The parts that differ, by the index of the line; lines that have hardly anything alike have none.

    Of each run of removed lines and the run of added ones after it, the first is compared with the first, and so on.
    """
    found: dict[int, Ranges] = {}
    for removed, added in blocks(lines):
        for before, after in zip(removed, added, strict=False):
            parts = _compared(lines[before].text, lines[after].text)
            if parts:
                found[before], found[after] = parts
    return found


def blocks(lines: Sequence[DiffLine]) -> list[tuple[list[int], list[int]]]:
    """The indexes of each run of removed lines, and of the added ones that follow it."""
    found: list[tuple[list[int], list[int]]] = []
    before = None
    for index, line in enumerate(lines):
        if line.kind is LineKind.REMOVED:
            if before is not LineKind.REMOVED:
                found.append(([], []))
            found[-1][0].append(index)
        elif line.kind is LineKind.ADDED:
            if before not in {LineKind.REMOVED, LineKind.ADDED}:
                found.append(([], []))
            found[-1][1].append(index)
        if line.kind is not LineKind.NOTE:
            before = line.kind
    return found


def _compared(before: str, after: str) -> tuple[Ranges, Ranges] | None:
    old, new = _WORD.findall(before), _WORD.findall(after)
    if not old or not new or len(old) + len(new) > _MOST_WORDS:
        return None
    matcher = SequenceMatcher(None, old, new, autojunk=False)
    same = sum(
        len("".join(old[block.a : block.a + block.size]).strip())
        for block in matcher.get_matching_blocks()
        if block.size
    )
    if same < _LEAST_ALIKE * max(len(before.strip()), len(after.strip())):
        return None
    steps = [step for step in matcher.get_opcodes() if step[0] != "equal"]
    return (
        _ranges(old, [(first, last) for _, first, last, _, _ in steps]),
        _ranges(new, [(first, last) for _, _, _, first, last in steps]),
    )


def _ranges(words: Sequence[str], parts: Sequence[tuple[int, int]]) -> Ranges:
    """Ranges of words as ranges of characters."""
    starts = [0]
    for word in words:
        starts.append(starts[-1] + len(word))
    return tuple((starts[first], starts[last]) for first, last in parts if last > first)
