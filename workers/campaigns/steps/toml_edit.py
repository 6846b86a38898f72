"""Setting values in TOML, through tomlkit, which keeps layout and comments; checked to keep everything else."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import tomlkit
from tomlkit.exceptions import TOMLKitError

from shared.domain.data_paths import InvalidDataPath, Location, locate, parse_data_path

from .nodes import nested, same
from .text import EditFailed


def set_toml(text: str, assignments: Mapping[str, Any]) -> str:
    """The text with values set; raises `EditFailed` for what is no TOML, or cannot be set alone."""
    document = _parse(text)
    if tomlkit.dumps(document) != text:
        raise EditFailed("not editable: its layout cannot be kept")
    for path, value in assignments.items():
        if value is None:
            raise EditFailed(f"{path} cannot be set: TOML has no null")
        plain = document.unwrap()
        try:
            locations = locate(parse_data_path(path), plain)
        except InvalidDataPath as error:
            raise EditFailed(str(error)) from None
        for location in locations:
            if _has(plain, location, value):
                continue
            try:
                _set(document, location, value)
            except (TOMLKitError, TypeError, ValueError) as error:
                raise EditFailed(f"{path} cannot be set: {error}") from None
            _set(plain, location, value)
        if not same(_parse(tomlkit.dumps(document)).unwrap(), plain):
            raise EditFailed(f"{path} cannot be set without changing something else")
    return tomlkit.dumps(document)


def _parse(text: str) -> tomlkit.TOMLDocument:
    try:
        return tomlkit.parse(text)
    except (TOMLKitError, RecursionError, ValueError) as error:
        raise EditFailed(f"not TOML: {error}") from None


def _has(data: Any, location: Location, value: Any) -> bool:
    for part in location:
        try:
            data = data[part]
        except (KeyError, IndexError):
            return False
    return same(data, value)


def _set(container: Any, location: Location, value: Any) -> None:
    for position, part in enumerate(location[:-1]):
        if part not in container and isinstance(part, str):
            container[part] = nested(location[position + 1 :], value)
            return
        container = container[part]
    container[location[-1]] = value
