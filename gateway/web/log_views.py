"""The log of a target, by the steps that wrote it. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

MOST_LINES = 5000
"""More is in the file that can be saved."""

_HEAD = re.compile(r"(?:step|workspace) \d+ of \d+: .*")
_TOOK = re.compile(r"  .* after ([\d.]+ s)")


@dataclass
class LogSection:
    """The lines of a step. `took` is how long it ran, where the log says so; `has_failed` where it says that."""

    title: str
    lines: list[str] = field(default_factory=list[str])
    took: str = ""
    has_failed: bool = False


def read_log(text: str) -> tuple[list[LogSection], int]:
    """The sections of a log, and how many lines were left out at the end."""
    lines = text.splitlines()
    sections = [LogSection("Beginning")]
    for line in lines[:MOST_LINES]:
        if _HEAD.fullmatch(line):
            sections.append(LogSection(line[:1].upper() + line[1:]))
            continue
        section = sections[-1]
        section.lines.append(line)
        section.has_failed |= line.lstrip().startswith("failed: ")
        if took := _TOOK.fullmatch(line):
            section.took = took[1]
    return [each for each in sections if each.lines or each is not sections[0]], max(len(lines) - MOST_LINES, 0)
