"""Searches taken apart by owner. Pure.

A token belongs to one installation, and sees the private repositories of that owner alone. So a search that names
several owners (`org:acme org:beta`) is asked once for each, and one that names none is asked once for each account
that the App is installed on.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from shared.domain.installation import Installation

_WORDS = re.compile(r'(?:[^\s"]|"[^"]*")+')
_OWNER = re.compile(r"(org|user|owner|repo):\"?([^/\s\"]+)", re.IGNORECASE)


@dataclass(frozen=True)
class OwnedQuery:
    """A search among the repositories of one account."""

    owner: str
    query: str


def split_by_owner(query: str) -> list[OwnedQuery]:
    """The search once for each owner that it names, in their order; empty where it names none."""
    words = [(word, _owner(word)) for word in _words(query)]
    owners = list(dict.fromkeys(owner for _, owner in words if owner))
    return [OwnedQuery(owner, " ".join(word for word, named in words if named in {None, owner})) for owner in owners]


def for_each_installation(query: str, installations: Iterable[Installation]) -> list[OwnedQuery]:
    """The search once for each account that the App is installed on."""
    return [
        OwnedQuery(each.account, f"{query} {'org' if each.account_type == 'Organization' else 'user'}:{each.account}")
        for each in installations
    ]


def _words(query: str) -> list[str]:
    """The words of a search; `NOT` and the word it negates are one."""
    words: list[str] = []
    for word in _WORDS.findall(query):
        if words and words[-1] == "NOT":
            words[-1] = f"NOT {word}"
        else:
            words.append(word)
    return words


def _owner(word: str) -> str | None:
    """The owner that a word asks for; logins are compared without regard to case."""
    match = _OWNER.match(word)
    return match.group(2).lower() if match else None
