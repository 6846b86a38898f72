"""Setting values in a tree of nodes: what YAML and JSON edits share.

A change is made in two ways that must agree: the characters of one value are replaced in the text, and the value is
replaced in the tree. If what the new text says is not what the tree says, the edit is refused: nothing else can have
changed unseen.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, cast

from shared.domain.data_paths import InvalidDataPath, Location, locate, parse_data_path
from shared.domain.yaml_tree import Node

from .text import EditFailed

Parse = Callable[[str], list[Node]]
Splice = tuple[int, int, str]
"""Start, end and new text."""

Write = Callable[[str, Node, Location, Any], Splice]
"""The splice that sets a value: text, root, the location that exists (perhaps only in part), the value."""


def set_values(text: str, assignments: Mapping[str, Any], parse: Parse, write: Write) -> str:
    """The text with every assignment made, in order."""
    for path, value in assignments.items():
        text = _set(text, path, value, parse, write)
    return text


def _set(text: str, path: str, value: Any, parse: Parse, write: Write) -> str:
    roots = parse(text)
    splices: list[Splice] = []
    changed: set[int] = set()
    for root in roots:
        try:
            locations = locate(parse_data_path(path), root.data())
        except InvalidDataPath as error:
            raise EditFailed(str(error)) from None
        for location in locations:
            node = node_at(root, location)
            if node is not None and (same(node.data(), value) or id(node) in changed):
                continue
            splices.append(write(text, root, location, value))
            changed.add(id(_replace_in_tree(root, location, value)))
    if not splices:
        return text
    new = _spliced(text, splices)
    if not same([root.data() for root in parse(new)], [root.data() for root in roots]):
        raise EditFailed(f"{path} cannot be set without changing something else")
    return new


def _spliced(text: str, splices: list[Splice]) -> str:
    splices.sort()
    out: list[str] = []
    position = 0
    for start, end, new in splices:
        if start < position:
            raise EditFailed("two values to set overlap")
        out += [text[position:start], new]
        position = end
    return "".join(out) + text[position:]


def same(one: Any, other: Any) -> bool:
    """Whether two values are the same data: 1 is neither true nor 1.0; the order of keys says nothing."""
    if isinstance(one, dict) and isinstance(other, dict):
        ours, theirs = cast("dict[Any, Any]", one), cast("dict[Any, Any]", other)
        return ours.keys() == theirs.keys() and all(same(ours[key], theirs[key]) for key in ours)
    if isinstance(one, list) and isinstance(other, list):
        ours, theirs = cast("list[Any]", one), cast("list[Any]", other)
        return len(ours) == len(theirs) and all(same(a, b) for a, b in zip(ours, theirs, strict=True))
    if isinstance(one, str) and isinstance(other, str):  # TOML's text has a type of its own
        return one == other
    first, second = cast("object", one), cast("object", other)
    return type(first) is type(second) and (first == second or str(first) == str(second) == "nan")


def node_at(root: Node, location: Location) -> Node | None:
    """The node at a location, or None where the text has none."""
    node: Node | None = root
    for part in location:
        node = node.child(part) if node else None
    return node


def existing_part(root: Node, location: Location) -> tuple[Node, Location]:
    """The deepest node on the way to a location, and the keys that are missing below it."""
    node = root
    for position, part in enumerate(location):
        below = node.child(part)
        if below is None:
            return node, location[position:]
        node = below
    return node, ()


def nested(keys: Location, value: Any) -> Any:
    """The value in a mapping for each key."""
    for key in reversed(keys):
        value = {key: value}
    return value


def _replace_in_tree(root: Node, location: Location, value: Any) -> Node:
    """Makes the change in the tree; the node that now has the value."""
    node, missing = existing_part(root, location)
    if missing and node.target.kind == "mapping":
        new = plain_node(nested(missing[1:], value))
        node.target.entries.append((plain_node(missing[0]), new))
        return new
    new = plain_node(nested(missing, value))
    node.alias_of = None
    node.kind, node.value, node.entries, node.items = new.kind, new.value, new.entries, new.items
    return node


def plain_node(value: Any) -> Node:
    """A node that stands nowhere, for a value."""
    node = Node(kind="scalar", start=0, end=0, line=0, column=0)
    if isinstance(value, dict):
        node.kind = "mapping"
        node.entries = [(plain_node(key), plain_node(item)) for key, item in cast("dict[Any, Any]", value).items()]
    elif isinstance(value, list):
        node.kind = "sequence"
        node.items = [plain_node(item) for item in cast("list[Any]", value)]
    else:
        node.value = value
    return node
