"""What a page shows of a file's diff: rows of one column of code or of two, a part at a time."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from markupsafe import Markup

from .diff_highlighting import highlighted
from .diff_words import blocks, changed_words
from .diffs import FileDiff, LineKind

PART_LINES = 500
"""Lines of a file that come at once."""

_LONGEST_BLOCK = 200  # lines that a part is made longer by, so as not to end among changed lines


class DiffView(StrEnum):
    """One column, or before and after side by side."""

    UNIFIED = "unified"
    SPLIT = "split"


@dataclass(frozen=True)
class Cell:
    """A line as it is shown on one side."""

    kind: LineKind
    number: int | None
    html: Markup


@dataclass(frozen=True)
class Row:
    """A row: with one column `left` is the line; side by side a side is None where it has none."""

    left: Cell | None
    right: Cell | None
    old: int | None = None
    new: int | None = None

    @property
    def is_whole(self) -> bool:
        """Whether it spans both sides: the head of a hunk, or a note."""
        return self.left is not None and self.left.kind in {LineKind.HUNK, LineKind.NOTE}


@dataclass(frozen=True)
class Part:
    """Rows of a file from one line on, and where the next part begins: None after the last."""

    rows: list[Row]
    following: int | None
    left: int  # lines after it


def part_of(file: FileDiff, view: DiffView, *, begin: int = 0, lines_at_once: int = PART_LINES) -> Part:
    """The part that begins at a line of the file's diff."""
    end = min(begin + lines_at_once, len(file.lines))
    most = min(end + _LONGEST_BLOCK, len(file.lines))
    while end < most and file.lines[end].kind is not LineKind.CONTEXT:
        end += 1
    lines = file.lines[begin:end]
    html = highlighted(file.path, lines, changed_words(lines))
    if view is DiffView.UNIFIED:
        rows = [
            Row(Cell(line.kind, line.new, html[index]), None, old=line.old, new=line.new)
            for index, line in enumerate(lines)
        ]
    else:
        rows = _side_by_side(file, begin, end, html)
    return Part(rows=rows, following=end if end < len(file.lines) else None, left=len(file.lines) - end)


def _side_by_side(file: FileDiff, begin: int, end: int, html: list[Markup]) -> list[Row]:
    lines = file.lines[begin:end]
    block_at = {min([*removed, *added]): (removed, added) for removed, added in blocks(lines)}
    rows: list[Row] = []
    for index, line in enumerate(lines):
        if index in block_at:
            removed, added = block_at[index]
            for row in range(max(len(removed), len(added))):
                left = removed[row] if row < len(removed) else None
                right = added[row] if row < len(added) else None
                rows.append(
                    Row(
                        None if left is None else Cell(LineKind.REMOVED, lines[left].old, html[left]),
                        None if right is None else Cell(LineKind.ADDED, lines[right].new, html[right]),
                    )
                )
        elif line.kind is LineKind.CONTEXT:
            rows.append(Row(Cell(line.kind, line.old, html[index]), Cell(line.kind, line.new, html[index])))
        elif line.kind in {LineKind.HUNK, LineKind.NOTE}:
            rows.append(Row(Cell(line.kind, None, html[index]), None))
    return rows
