"""Kinds of fields of a policy: patterns that must match a whole name, and values that claims are compared with."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, StringConstraints, WithJsonSchema

from ..patterns import InvalidPattern, Pattern, compile_pattern
from ..spec.fields import Regex, wrong

MAX_PATTERN_CHARACTERS = 1000


def exactly(pattern: str) -> Pattern:
    """The pattern compiled; `^` and `$` are the ends of the text. Raises `InvalidPattern`."""
    return compile_pattern("(?-m)" + pattern)


def ignoring_case(pattern: str) -> Pattern:
    """The same, ignoring case, as GitHub does in logins and names of repositories. Raises `InvalidPattern`."""
    return compile_pattern("(?i-m)" + pattern)


def is_match(pattern: Pattern, text: str) -> bool:
    """Whether the whole of `text` matches. A text with control characters, such as a line end, never does."""
    return text.isprintable() and pattern.fullmatch(text) is not None


def _check_both(pattern: str) -> str:
    try:
        exactly(pattern)
        ignoring_case(pattern)
    except InvalidPattern as error:
        raise wrong(str(error)) from None
    return pattern


FullPattern = Annotated[Regex, StringConstraints(max_length=MAX_PATTERN_CHARACTERS), AfterValidator(_check_both)]
"""A regular expression of RE2 for all of a text."""


def claim_text(value: Any) -> str | None:
    """A claim's value as patterns see it: text as it is, `true`, `false`, a number's digits; None for all else."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, str | int | float) else None


def _as_pattern(value: Any) -> Any:
    return claim_text(value) if isinstance(value, bool | int) else value


ClaimPattern = Annotated[
    FullPattern,
    BeforeValidator(_as_pattern),
    WithJsonSchema({"type": ["string", "boolean", "integer"], "maxLength": MAX_PATTERN_CHARACTERS}),
]
"""A pattern for a claim; `true`, `false` and whole numbers stand for themselves."""
