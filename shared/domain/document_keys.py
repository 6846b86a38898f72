"""The keys that are known at a place of the document, for hints."""

from __future__ import annotations

from typing import Any, cast

Path = tuple[str | int, ...]
"""Keys and indexes from the top of a document down to a place in it."""


def known_keys(path: Path, data: Any, schema: dict[str, Any]) -> list[str]:
    """The keys that a mapping at this path of the document may have by its JSON Schema."""
    schemas = [schema]
    for part in path:
        below = data[part]
        schemas = [child for parent in schemas for child in _children(parent, part, schema)]
        data = below
    matching = [one for one in schemas if _fits(one, data)] or schemas
    keys = [key for one in matching for key in one.get("properties", {})]
    return list(dict.fromkeys(keys))


def _children(parent: dict[str, Any], part: str | int, root: dict[str, Any]) -> list[dict[str, Any]]:
    child = parent.get("items") if isinstance(part, int) else _property(parent, part)
    return _forms(child, root) if child else []


def _property(parent: dict[str, Any], name: str) -> Any:
    known: Any = parent.get("properties", {}).get(name)
    other: Any = parent.get("additionalProperties")
    return known or (cast("dict[str, Any]", other) if isinstance(other, dict) else None)


def _forms(schema: dict[str, Any], root: dict[str, Any]) -> list[dict[str, Any]]:
    """The schema itself, or each of its alternatives."""
    if reference := schema.get("$ref"):
        return _forms(root["$defs"][reference.rpartition("/")[2]], root)
    alternatives = cast("list[dict[str, Any]]", schema.get("oneOf") or schema.get("anyOf") or [])
    if alternatives:
        return [form for alternative in alternatives for form in _forms(alternative, root)]
    return [schema]


def _fits(schema: dict[str, Any], data: Any) -> bool:
    """Whether a mapping has the key that its form is known by."""
    required = schema.get("required", [])
    return isinstance(data, dict) and (not required or any(key in data for key in required))
