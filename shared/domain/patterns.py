"""Regular expressions of RE2: matching takes linear time, so that no pattern of a spec can hang a worker."""

from __future__ import annotations

from functools import lru_cache
from typing import Protocol, cast

import re2

MAX_PATTERN_LENGTH = 10_000


class Match(Protocol):
    """What is used of a match."""

    def start(self) -> int: ...
    def end(self) -> int: ...
    def group(self, group: int) -> str | None: ...


class Pattern(Protocol):
    """What is used of a compiled expression."""

    groups: int

    def fullmatch(self, text: str) -> Match | None: ...
    def search(self, text: str) -> Match | None: ...
    def finditer(self, text: str) -> list[Match]: ...


class InvalidPattern(ValueError):
    """A regular expression that RE2 does not take; the message says which part of it, and where."""


@lru_cache(maxsize=1024)
def compile_pattern(pattern: str) -> Pattern:
    """The compiled expression, with `^` and `$` at each line; raises `InvalidPattern`.

    `(?i)` ignores case, `(?s)` lets `.` match line ends, `(?-m)` makes `^` and `$` the ends of the text.
    """
    if len(pattern) > MAX_PATTERN_LENGTH:
        raise InvalidPattern(f"longer than {MAX_PATTERN_LENGTH} characters")
    options = re2.Options()
    options.log_errors = False
    try:
        re2.compile(pattern, options)  # as written, so that the error speaks of what is written
        return cast("Pattern", re2.compile("(?m)" + pattern, options))
    except re2.error as error:  # pyright: ignore[reportUnknownVariableType]  # the library has no types
        raise InvalidPattern(_explain(pattern, cast("Exception", error))) from None


def _explain(pattern: str, error: Exception) -> str:
    raw = error.args[0] if error.args else b""
    reason = raw.decode(errors="replace") if isinstance(raw, bytes) else str(raw)
    what, _, fragment = reason.partition(": ")
    position = pattern.find(fragment) if fragment else -1
    if position < 0:
        return what
    note = "; RE2 has no look-around and no back-references" if fragment.startswith(("(?", "\\")) else ""
    return f"{what} at character {position + 1}: {fragment}{note}"


def parse_replacement(text: str, groups: int) -> tuple[str | int, ...]:
    r"""The parts of a replacement: text, and numbers of groups (`\0` is the whole match, `\\` a backslash).

    Raises `InvalidPattern` for another escape, or for a group that the expression does not have.
    """
    parts: list[str | int] = []
    position = 0
    while position < len(text):
        end = text.find("\\", position)
        if end < 0:
            parts.append(text[position:])
            break
        parts.append(text[position:end])
        escaped = text[end + 1 : end + 2]
        if escaped.isdigit() and escaped.isascii():
            if int(escaped) > groups:
                raise InvalidPattern(f"\\{escaped} names a group, and the pattern has {groups}")
            parts.append(int(escaped))
        elif escaped == "\\":
            parts.append("\\")
        else:
            raise InvalidPattern(f"\\{escaped} is neither a group (\\0 to \\9) nor \\\\, a backslash")
        position = end + 2
    return tuple(part for part in parts if part != "")
