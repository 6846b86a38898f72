"""YAML as a tree of nodes that know where they stand in the text.

The spec's errors name lines with it, and YAML edits replace exactly the characters of one value with it. Built from
the parser's events, so that aliases stay visible; data is made without tags, so nothing in a document runs code.
Bounded in size, depth and in what aliases may expand to.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, cast

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentEndEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)
from ruamel.yaml.nodes import ScalarNode

from .yaml_scalars import Scalar, plain_scalar

MAX_DEPTH = 50
MAX_NODES = 100_000
"""Most nodes of a document, each alias counted as what it stands for."""


class InvalidYaml(ValueError):
    """Text that is not YAML, or not within the bounds. `line` and `column` count from 1."""

    def __init__(self, message: str, line: int | None = None, column: int | None = None) -> None:
        super().__init__(message)
        self.message, self.line, self.column = message, line, column


@dataclass(kw_only=True)
class Node:
    """A value in the text: `start` to `end` in characters; `line` and `column` count from 1.

    A scalar has `value` and `style` (quote, `|`, `>` or empty); a mapping has `entries`, a sequence has `items`.
    `alias_of` is set where the text has an alias: then start and end are the alias's own.
    """

    kind: str  # scalar | mapping | sequence
    start: int
    end: int
    line: int
    column: int
    flow: bool = False
    style: str = ""
    value: Scalar = None
    entries: list[tuple[Node, Node]] = field(default_factory=list)
    items: list[Node] = field(default_factory=list)
    anchor: str | None = None
    tag: str | None = None
    alias_of: Node | None = None

    @property
    def target(self) -> Node:
        """The node itself, or what the alias stands for."""
        return self.alias_of or self

    def child(self, key: str | int) -> Node | None:
        """The value at a key of a mapping or at an index of a sequence."""
        node = self.target
        if node.kind == "mapping":
            return next((value for name, value in node.entries if name.target.value == key), None)
        if node.kind == "sequence" and isinstance(key, int) and -len(node.items) <= key < len(node.items):
            return node.items[key]
        return None

    def key(self, key: str | int) -> Node | None:
        """The node of a mapping's key itself."""
        return next((name for name, _ in self.target.entries if name.target.value == key), None)

    def data(self) -> Any:
        """Plain Python data: dicts, lists and scalars."""
        node = self.target
        if node.kind == "mapping":
            return {key.target.value: value.data() for key, value in node.entries}
        if node.kind == "sequence":
            return [item.data() for item in node.items]
        return node.value

    def walk(self) -> Iterator[Node]:
        """The node and everything below it, as written: an alias is one node."""
        yield self
        for key, value in self.entries:
            yield from key.walk()
            yield from value.walk()
        for item in self.items:
            yield from item.walk()


def parse_documents(text: str) -> list[Node]:
    """The root node of each document in the text (an empty document has none); raises `InvalidYaml`."""
    reader = YAML(typ="safe", pure=True)
    try:
        return _Builder(reader, text).documents()
    except MarkedYAMLError as error:
        mark = cast("Any", error).problem_mark or cast("Any", error).context_mark
        parts = cast("list[str | None]", [error.context, error.problem])
        message = " ".join(part for part in parts if part) or "not YAML"
        raise InvalidYaml(message, mark.line + 1 if mark else None, mark.column + 1 if mark else None) from None
    except (YAMLError, ValueError, RecursionError) as error:
        if isinstance(error, InvalidYaml):
            raise
        raise InvalidYaml(f"not YAML: {str(error).splitlines()[0] if str(error) else 'too deep'}") from None


class _Builder:
    def __init__(self, reader: YAML, text: str) -> None:
        self._text = text
        self._events: Iterator[Event] = iter(reader.parse(text))
        self._resolver: Any = reader.resolver
        self._anchors: dict[str, Node] = {}
        self._sizes: dict[int, int] = {}
        self._size = 0

    def documents(self) -> list[Node]:
        roots: list[Node] = []
        for event in self._events:
            if isinstance(event, DocumentStartEvent):
                self._anchors, self._size = {}, 0
                root = self._node(next(self._events), 0)
                if not (root.kind == "scalar" and root.start == root.end):
                    roots.append(root)
                end = next(self._events)
                if not isinstance(end, DocumentEndEvent):  # the parser guarantees it
                    raise InvalidYaml("the document does not end where it should")
        return roots

    def _node(self, event: Event, depth: int) -> Node:
        before = self._size
        self._size += 1
        node = self._begin(event)
        if depth > MAX_DEPTH:
            raise InvalidYaml(f"nested deeper than {MAX_DEPTH} levels", node.line, node.column)
        if isinstance(event, AliasEvent):
            self._size += self._sizes.get(id(node.alias_of), 1)
        elif isinstance(event, MappingStartEvent):
            self._fill_mapping(node, depth)
        elif isinstance(event, SequenceStartEvent):
            self._fill_sequence(node, depth)
        if self._size > MAX_NODES:
            raise InvalidYaml(f"more than {MAX_NODES} values, aliases included", node.line, node.column)
        if node.anchor:  # only now: an alias inside its own anchor has no end
            self._anchors[node.anchor] = node
            self._sizes[id(node)] = self._size - before
        return node

    def _begin(self, event: Event) -> Node:
        start, end = cast("Any", event.start_mark), cast("Any", event.end_mark)
        node = Node(kind="scalar", start=start.index, end=end.index, line=start.line + 1, column=start.column + 1)
        if isinstance(event, AliasEvent):
            node.alias_of = self._anchors.get(name := str(cast("Any", event).anchor))
            if node.alias_of is None:
                raise InvalidYaml(f"there is no anchor &{name} before this alias", node.line, node.column)
            node.kind = node.alias_of.kind
            return node
        node.anchor = getattr(event, "anchor", None)
        tag = getattr(event, "ctag", None) or getattr(event, "tag", None)
        node.tag = str(tag) if tag else None
        if isinstance(event, ScalarEvent):
            node.style = event.style or ""
            node.value = self._scalar(event, node)
            if node.anchor or node.tag:
                node.start = self._skip_properties(node.start)
        return node

    def _fill_mapping(self, node: Node, depth: int) -> None:
        node.kind = "mapping"
        seen: set[Any] = set()
        while not isinstance(event := next(self._events), MappingEndEvent):
            key = self._node(event, depth + 1)
            if key.kind != "scalar":
                raise InvalidYaml("a key must be plain text", key.line, key.column)
            if key.target.value in seen:
                raise InvalidYaml(f"the key {key.target.value!r} is there twice", key.line, key.column)
            seen.add(key.target.value)
            value = self._node(next(self._events), depth + 1)
            if value.kind == "scalar" and not value.alias_of and value.start == value.end and value.style == "":
                value.start = value.end = self._after_colon(key.end)
            node.entries.append((key, value))
        self._close(node, event)

    def _fill_sequence(self, node: Node, depth: int) -> None:
        node.kind = "sequence"
        while not isinstance(event := next(self._events), SequenceEndEvent):
            node.items.append(self._node(event, depth + 1))
        self._close(node, event)

    def _close(self, node: Node, event: Event) -> None:
        """A flow collection ends at its bracket; a block collection where its last value ends."""
        end = cast("Any", event.end_mark)
        last = node.items[-1].end if node.items else node.entries[-1][1].end if node.entries else None
        node.flow = node.end > node.start and self._text[node.end - 1 : node.end] in ("{", "[")
        if node.flow:
            node.start = node.end - 1
            node.end = end.index
        else:
            node.start = (node.items[0] if node.items else node.entries[0][0]).start
            node.end = last if last is not None else node.start

    def _after_colon(self, position: int) -> int:
        colon = self._text.find(":", position)
        return colon + 1 if colon >= 0 else position

    def _skip_properties(self, position: int) -> int:
        """Past `&anchor` and `!tag`, to where the value itself begins."""
        while self._text[position : position + 1] in ("&", "!"):
            while position < len(self._text) and not self._text[position].isspace():
                position += 1
            while self._text[position : position + 1] in (" ", "\t"):
                position += 1
        return position

    def _scalar(self, event: ScalarEvent, node: Node) -> Scalar:
        value = cast("str", event.value)
        if node.tag and node.tag not in ("!", "tag:yaml.org,2002:str"):
            return value  # an application's own tag: its text is all we know
        if node.tag or event.style:
            return value
        tag = str(self._resolver.resolve(ScalarNode, value, event.implicit)).rpartition(":")[2]
        return plain_scalar(value, tag)
