"""The text of a search, taken apart: qualifiers (`org:acme`), words, and what is negated.

    parse('org:acme -topic:old NOT legacy "api gateway"', REPOSITORY_QUALIFIERS)

A `name:value` with a name that is no qualifier is a word, as on GitHub. Sources: docs.github.com "Understanding the
search syntax", "Troubleshooting search queries" (256 characters without qualifiers, five operators).
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass

from ...errors import Reason, Refused, unprocessable

MAX_CHARACTERS = 256
MAX_OPERATORS = 5

_TOKEN = re.compile(
    r"""(?P<minus>-)?(?:(?P<name>[A-Za-z][A-Za-z-]*):)?(?:"(?P<quoted>[^"]*)"?|(?P<plain>[^\s"]+))"""
    r"""|(?P<rest>\S)""",
)
_OPERATORS = {"AND", "OR", "NOT"}


@dataclass(frozen=True)
class Qualifier:
    """`name:value`, or `-name:value`."""

    name: str
    value: str
    negated: bool = False


@dataclass(frozen=True)
class Word:
    """Free text, or `NOT text`."""

    text: str
    negated: bool = False


@dataclass(frozen=True)
class SearchText:
    """All qualifiers and, of each group of words joined by OR, one must hold."""

    qualifiers: tuple[Qualifier, ...]
    words: tuple[tuple[Word, ...], ...]

    def values(self, *names: str, negated: bool = False) -> list[str]:
        """The values of the qualifiers of these names."""
        return [each.value for each in self.qualifiers if each.name in names and each.negated == negated]

    def last(self, name: str) -> str | None:
        """The value of a qualifier that counts once: of several the last, as on GitHub."""
        return next(reversed(self.values(name)), None)


def parse(text: str, known: Collection[str]) -> SearchText:
    """Takes a search apart; raises `SearchRefused` where it is too long or has too many operators."""
    qualifiers: list[Qualifier] = []
    groups: list[list[Word]] = []
    operators = 0
    joined = negated = False
    for match in _TOKEN.finditer(text):
        operator = match.group()
        if operator in _OPERATORS:
            operators += 1
            joined, negated = (joined or operator == "OR"), (operator == "NOT")
            continue
        part = _part(match, known, negated=negated)
        if isinstance(part, Qualifier):
            qualifiers.append(part)
        elif joined and groups:
            groups[-1].append(part)
        else:
            groups.append([part])
        joined = negated = False
    _check(operators, sum(len(word.text) for group in groups for word in group))
    return SearchText(tuple(qualifiers), tuple(tuple(group) for group in groups))


class SearchRefused(Refused):
    """A search that GitHub refuses: REST with a 422 that says why, GraphQL by finding nothing."""

    def __init__(self, message: str) -> None:
        detail = {"message": message, "resource": "Search", "field": "q", "code": "invalid"}
        super().__init__(Reason.UNPROCESSABLE, "Validation Failed", errors=[detail])


def not_supported(what: str) -> Refused:
    """A search that GitHub would follow and the sandbox cannot."""
    return unprocessable(f"The sandbox does not support {what} in a search.")


def _part(match: re.Match[str], known: Collection[str], *, negated: bool) -> Qualifier | Word:
    value = match["quoted"] if match["quoted"] is not None else match["plain"] or match["rest"]
    negated = negated or match["minus"] is not None
    name = (match["name"] or "").lower()
    if name in known:
        return Qualifier(name, value, negated)
    return Word(f"{match['name']}:{value}" if match["name"] else value, negated)


def _check(operators: int, characters: int) -> None:
    if characters > MAX_CHARACTERS:
        raise SearchRefused(f"The search is longer than {MAX_CHARACTERS} characters.")
    if operators > MAX_OPERATORS:
        raise SearchRefused("More than five AND / OR / NOT operators were used.")
