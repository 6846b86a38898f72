"""Globs, as regular expressions of RE2: matching takes linear time whatever the pattern.

`*`, `?`, `[a-z]`, `[!a-z]` and `{one,two}` are known; a backslash takes the next character literally. In paths
`*` and `?` stop at `/`, and `**` does not; in names (`owner/name`) `*` matches anything.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Protocol, cast

import re2

MAX_GLOB_LENGTH = 1000
"""Longest glob, in characters."""

_MAGIC = frozenset("*?[{\\")


class _Compiled(Protocol):
    def fullmatch(self, text: str) -> object | None: ...


class InvalidGlob(ValueError):
    """A glob that cannot be understood; says why."""


def is_glob(pattern: str) -> bool:
    """Whether the text has any character with a meaning in globs."""
    return any(character in _MAGIC for character in pattern)


def literal_folder(pattern: str) -> str:
    """The folder, without a trailing slash, that every match of a path glob is in; empty for the root."""
    parts: list[str] = []
    for part in pattern.split("/")[:-1]:
        if is_glob(part):
            break
        parts.append(part)
    return "/".join(parts)


def matches_path(path: str, pattern: str) -> bool:
    """Whether a path in a repository matches; `**/` also matches no folder at all."""
    return _compiled(pattern, True).fullmatch(path) is not None


def matches_name(name: str, pattern: str) -> bool:
    """Whether a name such as `owner/repository` matches."""
    return _compiled(pattern, False).fullmatch(name) is not None


def name_expression(pattern: str) -> str:
    """A glob of names as a regular expression that PostgreSQL reads the same way; to be matched as a whole."""
    return _translate(pattern, in_path=False)


def check_glob(pattern: str) -> None:
    """Raises `InvalidGlob` where the glob cannot be understood."""
    _compiled(pattern, True)


@lru_cache(maxsize=1024)
def _compiled(pattern: str, in_path: bool) -> _Compiled:
    if len(pattern) > MAX_GLOB_LENGTH:
        raise InvalidGlob(f"a glob may have at most {MAX_GLOB_LENGTH} characters")
    options = re2.Options()
    options.log_errors = False
    try:
        return cast("_Compiled", re2.compile("(?s)" + _translate(pattern, in_path), options))
    except re2.error:
        raise InvalidGlob(f"{pattern!r} is not a glob that can be understood") from None


def _translate(pattern: str, in_path: bool) -> str:
    out: list[str] = []
    depth = position = 0
    while position < len(pattern):
        rest = pattern[position:]
        step = 1
        if rest[0] in "*?":
            text, step = _translate_wildcard(rest, in_path, begins_part=pattern[position - 1 : position] in ("", "/"))
        elif rest[0] == "[":
            text, step = _translate_class(rest)
        elif rest[0] == "{":
            text, depth = "(?:", depth + 1
        elif rest[0] == "}" and depth:
            text, depth = ")", depth - 1
        elif rest[0] == "," and depth:
            text = "|"
        elif rest[0] == "\\":
            text, step = _escape(rest[1:2]), 2
        else:
            text = _escape(rest[0])
        out.append(text)
        position += step
    if depth:
        raise InvalidGlob("a brace { of the glob is not closed")
    return "".join(out)


def _translate_wildcard(rest: str, in_path: bool, *, begins_part: bool) -> tuple[str, int]:
    """What `*`, `**`, `**/` or `?` stands for, and its length."""
    if rest.startswith("**/") and in_path and begins_part:
        return "(?:.*/)?", 3
    if rest.startswith("**"):
        return ".*", 2
    one = "[^/]" if in_path else "."
    return (one, 1) if rest[0] == "?" else (f"{one}*", 1)


def _translate_class(rest: str) -> tuple[str, int]:
    """The character class that a glob's `[` begins, and its length."""
    start = 2 if rest[1:2] in ("!", "^") else 1
    end = rest.find("]", start + 1)
    if end < 0:
        raise InvalidGlob("a bracket [ of the glob is not closed; write \\[ for the character itself")
    members = rest[start:end].replace("\\", "\\\\").replace("[", "\\[").replace("^", "\\^").replace("]", "\\]")
    return f"[{'^' if start == 2 else ''}{members}]", end + 1


def _escape(character: str) -> str:
    if not character:
        raise InvalidGlob("a backslash at the end of a glob escapes nothing")
    return character if character.isalnum() or character in "_/" or ord(character) > 127 else "\\" + character
