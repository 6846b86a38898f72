"""Setting values in JSON, comments allowed: layout, order of keys and everything else stay byte for byte."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from shared.domain.data_paths import Location
from shared.domain.yaml_tree import MAX_DEPTH, Node

from .nodes import Splice, existing_part, nested, set_values
from .text import EditFailed

_SPACE = re.compile(r"(?:[ \t\r\n]+|//[^\n]*|/\*(?:[^*]|\*(?!/))*\*/)*")
_NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?")
_DECODER = json.JSONDecoder()
_WORDS = {"true": True, "false": False, "null": None}


def set_json(text: str, assignments: Mapping[str, Any]) -> str:
    """The text with values set; raises `EditFailed` for what is no JSON."""
    return set_values(text, assignments, lambda text: [_Parser(text).document()], _write)


def parse_json(text: str) -> Any:
    """The data of JSON text with comments."""
    return _Parser(text).document().data()


class _Parser:
    def __init__(self, text: str) -> None:
        self._text = text
        self._position = 0

    def document(self) -> Node:
        root = self._value(0)
        self._skip()
        if self._position < len(self._text):
            raise self._wrong("one value")
        return root

    def _value(self, depth: int) -> Node:
        self._skip()
        if depth > MAX_DEPTH:
            raise EditFailed(f"not editable: nested deeper than {MAX_DEPTH} levels")
        start = self._position
        node = Node(kind="scalar", start=start, end=start, line=0, column=0, flow=True)
        character = self._text[start : start + 1]
        if character == "{":
            self._mapping(node, depth)
        elif character == "[":
            self._sequence(node, depth)
        elif character == '"':
            node.value = self._string()
        else:
            node.value = self._word_or_number()
        node.end = self._position
        return node

    def _mapping(self, node: Node, depth: int) -> None:
        node.kind = "mapping"
        self._position += 1
        while not self._closes("}", node.entries):
            key = Node(kind="scalar", start=self._position, end=self._position, line=0, column=0)
            if self._text[self._position : self._position + 1] != '"':
                raise self._wrong("a key in quotes")
            key.value = self._string()
            key.end = self._position
            self._skip()
            self._expect(":")
            node.entries.append((key, self._value(depth + 1)))

    def _sequence(self, node: Node, depth: int) -> None:
        node.kind = "sequence"
        self._position += 1
        while not self._closes("]", node.items):
            node.items.append(self._value(depth + 1))

    def _closes(self, bracket: str, before: list[Any]) -> bool:
        """Whether the collection ends here; else the next entry begins here."""
        self._skip()
        if self._text.startswith(bracket, self._position):
            self._position += 1
            return True
        if before:
            self._expect(",")
            self._skip()
            if self._text.startswith(bracket, self._position):  # a trailing comma, as in tsconfig.json
                self._position += 1
                return True
        return False

    def _string(self) -> str:
        try:
            value, self._position = _DECODER.raw_decode(self._text, self._position)
        except json.JSONDecodeError as error:
            raise EditFailed(f"not JSON: {error.msg} in line {error.lineno}") from None
        return value

    def _word_or_number(self) -> Any:
        for word, value in _WORDS.items():
            if self._text.startswith(word, self._position):
                self._position += len(word)
                return value
        match = _NUMBER.match(self._text, self._position)
        if match is None:
            raise self._wrong("a value")
        self._position = match.end()
        try:
            return json.loads(match[0])
        except ValueError:  # more digits than Python reads
            raise self._wrong("a shorter number") from None

    def _skip(self) -> None:
        match = _SPACE.match(self._text, self._position)
        self._position = match.end() if match else self._position

    def _expect(self, character: str) -> None:
        if not self._text.startswith(character, self._position):
            raise self._wrong(repr(character))
        self._position += 1

    def _wrong(self, expected: str) -> EditFailed:
        line = self._text.count("\n", 0, self._position) + 1
        return EditFailed(f"not JSON: {expected} was expected in line {line}")


def _write(text: str, root: Node, location: Location, value: Any) -> Splice:
    node, missing = existing_part(root, location)
    unit = _indent_unit(text, root)
    if not missing or node.kind != "mapping":
        return node.start, node.end, _dump(nested(missing, value), _line_indent(text, node.start), unit)
    key = json.dumps(str(missing[0]), ensure_ascii=False)
    if not node.entries:
        outer = _line_indent(text, node.start)
        inner = f"\n{outer}{unit}" if unit is not None else ""
        closing = f"\n{outer}" if unit is not None else ""
        new = _dump(nested(missing[1:], value), outer + (unit or ""), unit)
        return node.start, node.end, f"{{{inner}{key}: {new}{closing}}}"
    last_key, last = node.entries[-1]
    before_key = text[text.rfind("\n", 0, last_key.start) + 1 : last_key.start]
    own_line = not before_key.strip()
    separator = f",\n{before_key}" if own_line else ", "
    new = _dump(nested(missing[1:], value), before_key if own_line else "", unit if own_line else None)
    return last.end, last.end, f"{separator}{key}: {new}"


def _dump(value: Any, indent: str, unit: str | None) -> str:
    if unit is None or not isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False)
    return json.dumps(value, ensure_ascii=False, indent=unit).replace("\n", f"\n{indent}")


def _line_indent(text: str, position: int) -> str:
    line = text[text.rfind("\n", 0, position) + 1 : position]
    return line[: len(line) - len(line.lstrip())]


def _indent_unit(text: str, root: Node) -> str | None:
    """What one level is indented by; None where the document stands on one line."""
    first = root.entries[0][0].start if root.entries else root.items[0].start if root.items else None
    if first is None:
        return "  "
    line = text[text.rfind("\n", 0, first) + 1 : first]
    return (line or "  ") if not line.strip() and "\n" in text[root.start : first] else None
