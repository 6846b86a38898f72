"""Setting values in YAML: only the characters of the value change; comments, layout and quotes stay byte for byte."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Mapping
from typing import Any, cast

from ruamel.yaml import YAML

from shared.domain.data_paths import Location
from shared.domain.yaml_tree import InvalidYaml, Node, parse_documents

from .nodes import Splice, existing_part, nested, node_at, set_values
from .text import EditFailed

_READ_OTHERWISE = re.compile(
    r"(?i)y|n|yes|no|on|off|~|null|true|false|[-+]?[\d_,.:]+|0[xob][\da-f_]+|\d{4}-\d\d?-\d\d?.*|[-+]?\.(inf|nan)|=|<<"
)
"""Plain text that some reader of YAML (1.1 or 1.2) takes for something else than text."""


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
        return start, end, _flow(value, node.style)
    block = _is_block(value)
    if parent.kind == "sequence":
        if start == end:
            raise EditFailed("an empty item of a list cannot be set")
        return start, end, _block(value, " " * _column(text, start), unit) if block else _scalar(value, node, text)
    key = next(key for key, value in parent.entries if value is node)
    colon = text.index(":", key.end) + 1
    indent = " " * _column(text, key.start)
    if block:
        return colon, end, f"\n{indent}{unit}" + _block(value, indent + unit, unit)
    if node.kind != "scalar" and not node.alias_of:
        return colon, end, " " + _flow(value, "")
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
    name = _flow(str(key), "")
    if mapping.flow:
        at = mapping.entries[-1][1].end if mapping.entries else mapping.start + 1
        return at, at, f"{', ' if mapping.entries else ''}{name}: {_flow(value, '')}"
    last_key, last = mapping.entries[-1]
    end = last_key.end if last.start == last.end else _last_line_end(text, last)
    line_end = text.find("\n", end)
    at = line_end if line_end >= 0 else len(text)
    indent = " " * _column(text, mapping.entries[0][0].start)
    new = f"\n{indent}{unit}" + _block(value, indent + unit, unit) if _is_block(value) else " " + _flow(value, "")
    return at, at, f"\n{indent}{name}:{new}"


def _last_line_end(text: str, node: Node) -> int:
    while not node.alias_of and not node.flow and node.kind != "scalar":
        node = node.items[-1] if node.kind == "sequence" else node.entries[-1][1]
    return _content_end(text, node)


# -- Writing values ----------------------------------------------------------------------------------------


def _is_block(value: Any) -> bool:
    return isinstance(value, dict | list) and bool(value)  # pyright: ignore[reportUnknownArgumentType]


def _block(value: Any, indent: str, unit: str) -> str:
    """A mapping or list over several lines; the first line without its indent."""
    writer = YAML()
    writer.width = 10_000
    writer.indent(mapping=len(unit), sequence=4, offset=2)
    stream = io.StringIO()
    writer.dump(value, stream)
    lines = stream.getvalue().rstrip("\n").split("\n")
    if isinstance(value, list):
        lines = [line.removeprefix("  ") for line in lines]
    return "\n".join([lines[0], *(indent + line if line else "" for line in lines[1:])])


def _scalar(value: Any, node: Node, text: str) -> str:
    """A scalar in the style that the old one had, where that can be."""
    if isinstance(value, str) and node.style == "|" and value.strip("\n"):
        return _literal(value, node, text)
    return _flow(value, node.style)


def _literal(value: str, node: Node, text: str) -> str:
    old_lines = text[node.start : node.end].split("\n")[1:]
    indent = next((line[: len(line) - len(line.lstrip(" "))] for line in old_lines if line.strip()), "")
    body = value.rstrip("\n")
    if not indent or value != body + "\n" * (value.endswith("\n")) or body.startswith((" ", "\n")):
        return _flow(value, '"')
    if not all(line.isprintable() for line in body.split("\n")):
        return _flow(value, '"')
    mark = "|" if value.endswith("\n") else "|-"
    return "\n".join([mark, *(indent + line if line else "" for line in body.split("\n"))])


def _flow(value: Any, style: str) -> str:
    """A value on one line, as it may stand anywhere."""
    if isinstance(value, dict):
        entries = cast("dict[Any, Any]", value).items()
        return "{" + ", ".join(f"{_flow(str(key), '')}: {_flow(item, '')}" for key, item in entries) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(_flow(item, "") for item in cast("list[Any]", value)) + "]"
    if not isinstance(value, str):
        return json.dumps(value)
    if style == "'" and value.isprintable():
        return "'" + value.replace("'", "''") + "'"
    if style != '"' and _is_plain(value):
        return value
    if style != '"' and value.isprintable() and "'" not in value:
        return f"'{value}'"
    return '"' + "".join(map(_escaped, value)) + '"'


def _escaped(character: str) -> str:
    if character in '\\"':
        return "\\" + character
    if character.isprintable():
        return character
    short = {"\n": "\\n", "\t": "\\t"}.get(character)
    return short or f"\\U{ord(character):08x}"


def _is_plain(value: str) -> bool:
    """Whether text reads as the same text without quotes, in block and in flow style."""
    if not value.isprintable() or _READ_OTHERWISE.fullmatch(value):
        return False
    try:
        return parse_documents(f"- [{value}, x]\n- {value}\n- {value}: x\n")[0].data() == [
            [value, "x"],
            value,
            {value: "x"},
        ]
    except InvalidYaml:
        return False
