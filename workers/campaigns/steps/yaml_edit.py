"""Setting values in YAML: only the characters of the value change; comments, layout and quotes stay byte for byte."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shared.domain.data_paths import Location
from shared.domain.yaml_tree import InvalidYaml, Node, parse_documents

from .nodes import Splice, existing_part, nested, node_at, set_values
from .text import EditFailed
from .yaml_writing import is_block, write_after_key, write_block, write_flow, write_literal


def set_yaml(text: str, assignments: Mapping[str, Any]) -> str:
    """The text with values set in each of its documents; raises `EditFailed` for what is no YAML."""
    return set_values(text, assignments, _parse, _write)


def parse_yaml(text: str) -> Any:
    """The data of a text with one document, or none."""
    roots = _parse(text)
    if len(roots) > 1:
        raise EditFailed("more than one YAML document")
    return roots[0].data() if roots else None


def _parse(text: str) -> list[Node]:
    try:
        return parse_documents(text)
    except InvalidYaml as error:
        where = f" in line {error.line}" if error.line else ""
        raise EditFailed(f"not editable YAML: {error.message}{where}") from None


def _write(text: str, root: Node, location: Location, value: Any) -> Splice:
    node, missing = existing_part(root, location)
    if missing and node.target.kind == "mapping":
        return _add(text, node.target, missing[0], nested(missing[1:], value), _unit(text, root))
    parent = node_at(root, location[: len(location) - len(missing) - 1]) if len(location) > len(missing) else None
    return _replace(text, node, parent.target if parent else None, nested(missing, value), _unit(text, root))


def _unit(text: str, root: Node) -> str:
    """What mappings in mappings are indented by in this document; two spaces where there are none."""
    for node in root.walk():
        for key, value in node.entries:
            deeper = _column(text, value.start) - _column(text, key.start)
            if not node.flow and not value.flow and value.kind == "mapping" and not value.alias_of and deeper > 0:
                return " " * deeper
    return "  "


# -- Replacing a value -------------------------------------------------------------------------------------


def _replace(text: str, node: Node, parent: Node | None, value: Any, unit: str) -> Splice:
    start, end = node.start, _content_end(text, node)
    if parent is None or parent.flow or node.flow:
        return start, end, write_flow(value, node.style)
    block = is_block(value)
    if parent.kind == "sequence":
        if start == end:
            raise EditFailed("an empty item of a list cannot be set")
        return start, end, write_block(value, " " * _column(text, start), unit) if block else _scalar(value, node, text)
    key = next(key for key, value in parent.entries if value is node)
    colon = text.index(":", key.end) + 1
    indent = " " * _column(text, key.start)
    if block:
        return colon, end, write_after_key(value, indent, unit)
    if node.kind != "scalar" and not node.alias_of:
        return colon, end, " " + write_flow(value, "")
    space = " " if start == colon else ""
    return start, end, space + _scalar(value, node, text)


def _content_end(text: str, node: Node) -> int:
    """Where a value ends, without the line ends after a block of text."""
    if node.alias_of or node.flow or (node.kind == "scalar" and node.style not in ("|", ">")):
        return node.end
    return node.start + len(text[node.start : node.end].rstrip())


def _column(text: str, position: int) -> int:
    return position - (text.rfind("\n", 0, position) + 1)


# -- Adding a key ------------------------------------------------------------------------------------------


def _add(text: str, mapping: Node, key: Any, value: Any, unit: str) -> Splice:
    name = write_flow(str(key), "")
    if mapping.flow:
        at = mapping.entries[-1][1].end if mapping.entries else mapping.start + 1
        return at, at, f"{', ' if mapping.entries else ''}{name}: {write_flow(value, '')}"
    last_key, last = mapping.entries[-1]
    end = last_key.end if last.start == last.end else _last_line_end(text, last)
    line_end = text.find("\n", end)
    at = line_end if line_end >= 0 else len(text)
    indent = " " * _column(text, mapping.entries[0][0].start)
    new = write_after_key(value, indent, unit)
    return at, at, f"\n{indent}{name}:{new}"


def _last_line_end(text: str, node: Node) -> int:
    while not node.alias_of and not node.flow and node.kind != "scalar":
        node = node.items[-1] if node.kind == "sequence" else node.entries[-1][1]
    return _content_end(text, node)


def _scalar(value: Any, node: Node, text: str) -> str:
    """A scalar in the style that the old one had, where that can be."""
    if isinstance(value, str) and node.style == "|":
        old_lines = text[node.start : node.end].split("\n")[1:]
        indent = next((line[: len(line) - len(line.lstrip(" "))] for line in old_lines if line.strip()), "")
        literal = write_literal(value, indent) if indent else None
        return literal or write_flow(value, '"')
    return write_flow(value, node.style)
