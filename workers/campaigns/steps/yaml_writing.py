"""How values are written in YAML: on one line, as a block of lines, or as literal text."""

from __future__ import annotations

import json
import re
from typing import Any, cast

from shared.domain.yaml_tree import InvalidYaml, parse_documents

_READ_OTHERWISE = re.compile(
    r"(?i)y|n|yes|no|on|off|~|null|true|false|[-+]?[\d_,.:]+|0[xob][\da-f_]+|\d{4}-\d\d?-\d\d?.*|[-+]?\.(inf|nan)|=|<<"
)
"""Plain text that some reader of YAML (1.1 or 1.2) takes for something else than text."""


def is_block(value: Any) -> bool:
    """Whether a value is best written over several lines: a mapping or a list that is not empty."""
    return isinstance(value, dict | list) and bool(cast("list[Any]", value))


def write_block(value: Any, indent: str, unit: str) -> str:
    """A mapping or list over several lines; the first line without its indent. `unit` is one level's indent."""
    if isinstance(value, dict):
        entries = cast("dict[Any, Any]", value).items()
        lines = [f"{write_flow(str(key), '')}:{write_after_key(item, indent, unit)}" for key, item in entries]
    else:
        lines = [f"- {_item(item, indent, unit)}" for item in cast("list[Any]", value)]
    return f"\n{indent}".join(lines)


def write_after_key(value: Any, indent: str, unit: str) -> str:
    """What stands after the colon of a key that is indented by `indent`, from the space or line end on."""
    if is_block(value):
        return f"\n{indent}{unit}{write_block(value, indent + unit, unit)}"
    return f" {_leaf(value, indent + unit)}"


def _item(value: Any, indent: str, unit: str) -> str:
    return write_block(value, f"{indent}  ", unit) if is_block(value) else _leaf(value, f"{indent}  ")


def _leaf(value: Any, indent: str) -> str:
    literal = write_literal(value, indent) if isinstance(value, str) and "\n" in value else None
    return literal or write_flow(value, "")


def write_literal(value: str, indent: str) -> str | None:
    """Text as it is, line by line, after `|`; None where that cannot hold it."""
    body = value.rstrip("\n")
    lines = body.split("\n")
    if not body or len(value) - len(body) > 1 or body.startswith((" ", "\n")):
        return None
    if not all(line.isprintable() and line == line.rstrip() for line in lines):
        return None
    mark = "|" if value.endswith("\n") else "|-"
    return "\n".join([mark, *(indent + line if line else "" for line in lines)])


def write_flow(value: Any, style: str) -> str:
    """A value on one line, as it may stand anywhere."""
    if isinstance(value, dict):
        entries = cast("dict[Any, Any]", value).items()
        return "{" + ", ".join(f"{write_flow(str(key), '')}: {write_flow(item, '')}" for key, item in entries) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(write_flow(item, "") for item in cast("list[Any]", value)) + "]"
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
