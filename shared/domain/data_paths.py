"""Paths that point at values in YAML, JSON and TOML data, and the places that they find.

    jobs.*.steps[?uses=='actions/setup-go@v4'].uses

A path is keys joined by dots. `*` or `[*]` is every key or index, `[n]` an index (negative from the end),
`[?key=='value']` the items (or values) whose `key` has that value, `!=` those that have another, `[?key]` those that
have the key; the key may itself be dotted. A key with other characters stands in quotes: `"my.key".x` or
`['my.key'].x`. What JMESPath cannot say is *where* a value stands; that is what `locate` answers.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, cast

MAX_LOCATIONS = 10_000
"""Most places that one path may find in one document."""

Location = tuple[str | int, ...]
"""Keys and indexes from the root to a value."""


class InvalidDataPath(ValueError):
    """A path that cannot be understood, or finds more than `MAX_LOCATIONS` places."""


@dataclass(frozen=True)
class Key:
    """One key of a mapping, or the index of a sequence that looks like it."""

    name: str


@dataclass(frozen=True)
class Index:
    """One place of a sequence; negative counts from the end."""

    position: int


@dataclass(frozen=True)
class Every:
    """All values of a mapping or a sequence."""


@dataclass(frozen=True)
class Where:
    """The values of a mapping or a sequence that have `key`, and there `value`: `==`, `!=`, or (empty) anything."""

    key: tuple[str, ...]
    operator: str
    value: Any

    def holds(self, candidate: Any) -> bool:
        """Whether a value of the mapping or sequence is meant."""
        for part in self.key:
            if not isinstance(candidate, dict) or part not in candidate:
                return False
            candidate = cast("dict[Any, Any]", candidate)[part]
        same = candidate == self.value and isinstance(candidate, bool) is isinstance(self.value, bool)
        return not self.operator or same is (self.operator == "==")


Segment = Key | Index | Every | Where

_BARE = re.compile(r"[^.\[\]'\"*?\s]+")
_QUOTED = re.compile(r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"")
_INDEX = re.compile(r"\[\s*(-?\d+)\s*\]")
_EVERY = re.compile(r"\[\s*\*\s*\]")
_QUOTED_KEY = re.compile(r"\[\s*('(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\")\s*\]")
_WHERE = re.compile(
    r"\[\?\s*(?P<key>(?:[\w@$-]+|'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\")(?:\.[\w@$-]+)*)\s*"
    r"(?:(?P<operator>==|!=)\s*(?P<value>'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"|[^\]\s'\"]+)\s*)?\]"
)


def parse_data_path(text: str) -> tuple[Segment, ...]:
    """The segments of a path; raises `InvalidDataPath`, naming the character where it goes wrong."""
    segments: list[Segment] = []
    position = 0
    while position < len(text):
        if segments and text[position] == ".":
            position += 1
        elif segments and text[position] != "[":
            raise _unexpected(text, position)
        segment, position = _segment(text, position)
        segments.append(segment)
    if not segments:
        raise InvalidDataPath("a path must name at least one key")
    return tuple(segments)


def _segment(text: str, position: int) -> tuple[Segment, int]:
    if match := _INDEX.match(text, position):
        return Index(int(match[1])), match.end()
    if match := _EVERY.match(text, position):
        return Every(), match.end()
    if match := _QUOTED_KEY.match(text, position):
        return Key(_unquote(match[1])), match.end()
    if match := _WHERE.match(text, position):
        key = match["key"]
        parts = (_unquote(key),) if key[0] in "'\"" else tuple(key.split("."))
        value = _literal(match["value"]) if match["operator"] else None
        return Where(parts, match["operator"] or "", value), match.end()
    if text[position : position + 1] == "*":
        return Every(), position + 1
    if match := _QUOTED.match(text, position):
        return Key(_unquote(match[0])), match.end()
    if match := _BARE.match(text, position):
        return Key(match[0]), match.end()
    raise _unexpected(text, position)


def _unexpected(text: str, position: int) -> InvalidDataPath:
    found = repr(text[position]) if position < len(text) else "the end"
    return InvalidDataPath(
        f"the path {text!r} is wrong at character {position + 1}: {found}; "
        "a path looks like jobs.*.steps[0].uses or steps[?uses=='x'].with"
    )


def _unquote(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text[1:-1])


def _literal(text: str) -> Any:
    if text[0] in "'\"":
        return _unquote(text)
    try:
        return json.loads(text)
    except ValueError:
        return text


def locate(segments: tuple[Segment, ...], data: Any) -> list[Location]:
    """Where in the data the path points, in document order; raises `InvalidDataPath` past `MAX_LOCATIONS`.

    Plain keys at the end of the path need not exist: the place where they would stand is found, as long as
    everything there is a mapping or null. Whatever is before the last `*`, `[n]` or `[?…]` must exist.
    """
    last = max((i for i, segment in enumerate(segments) if not isinstance(segment, Key)), default=-1)
    found: list[Location] = []
    for location in _find(segments, data, (), last):
        found.append(location)
        if len(found) > MAX_LOCATIONS:
            raise InvalidDataPath(f"the path finds more than {MAX_LOCATIONS} places")
    return found


def _find(segments: tuple[Segment, ...], data: Any, location: Location, last: int) -> Iterator[Location]:
    if not segments:
        yield location
        return
    segment, rest = segments[0], segments[1:]
    for key, value in _children(segment, data):
        yield from _find(rest, value, (*location, key), last - 1)
    if last < 0 and isinstance(segment, Key) and (data is None or isinstance(data, dict)):
        names = [cast("Key", part).name for part in segments]
        if data is None or _existing_key(segment.name, cast("dict[Any, Any]", data)) is None:
            yield (*location, *names)


def _children(segment: Segment, data: Any) -> list[tuple[Any, Any]]:
    if isinstance(data, dict):
        entries = list(cast("dict[Any, Any]", data).items())
    elif isinstance(data, list):
        entries = list(enumerate(cast("list[Any]", data)))
    else:
        return []
    match segment:
        case Key(name):
            wanted = _existing_key(name, dict(entries))
            return [(key, value) for key, value in entries if key == wanted and type(key) is type(wanted)]
        case Index(position):
            length = len(entries)
            at = position if position >= 0 else length + position
            return entries[at : at + 1] if isinstance(data, list) and 0 <= at < length else []
        case Every():
            return entries
        case Where():
            return [entry for entry in entries if segment.holds(entry[1])]


def _existing_key(name: str, entries: dict[Any, Any]) -> Any:
    """The key as the data has it: `404` finds the number 404 too, and `true` the boolean."""
    if name in entries:
        return name
    return next((key for key in entries if not isinstance(key, str) and json.dumps(key) == name), None)
