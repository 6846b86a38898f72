"""Plain scalars of YAML by the core schema of YAML 1.2."""

from __future__ import annotations

Scalar = str | int | float | bool | None


def plain_scalar(text: str, tag: str) -> Scalar:
    """The value of a plain scalar by YAML 1.2's core schema; what is not in it (dates) stays text."""
    if tag == "null":
        return None
    if tag == "bool":
        return text.lower() == "true"
    if tag == "int":
        return _integer(text)
    if tag == "float":
        return _float(text)
    return text


def _integer(text: str) -> int | str:
    try:
        if text.startswith("0o"):
            return int(text[2:], 8)
        if text.startswith("0x"):
            return int(text[2:], 16)
        return int(text) if "_" not in text else text
    except ValueError:
        return text


def _float(text: str) -> float | str:
    special = {".inf": float("inf"), "-.inf": float("-inf"), "+.inf": float("inf"), ".nan": float("nan")}
    if text.lower() in special:
        return special[text.lower()]
    try:
        return float(text) if "_" not in text else text
    except ValueError:
        return text
