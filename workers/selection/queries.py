"""Searches taken apart by owner. Pure.

A token belongs to one installation, and sees the private repositories of that owner alone. So a search that names
several owners (`org:acme org:beta`) is asked once for each, and one that names none is asked once for each account
that the App is installed on.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from shared.domain.installation import Installation
from shared.errors import GitHubInvalid
from shared.github.search import BEGINNING, CAP, Slice

_WORDS = re.compile(r'(?:[^\s"]|"[^"]*")+')
_CREATED = re.compile(r"(?:-|NOT )?created:", re.IGNORECASE)
_SPAN = re.compile(r"([^.]+)\.\.([^.]+)")
_BOUND = re.compile(r"(>=|<=|>|<|)([^.<>=]+)")
_DAY_LENGTH = len("2026-01-31")
_SECOND = timedelta(seconds=1)
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


def created_between(query: str, *, now: datetime) -> Slice:
    """The search as one slice, which can be divided: of all time until now, or of the time that it names itself.

    Raises `GitHubInvalid` where it has a `created:` that cannot be divided.
    """
    words = _words(query)
    own = [word for word in words if _CREATED.match(word)]
    if not own:
        return Slice(query, BEGINNING, now.replace(microsecond=0))
    rest = " ".join(word for word in words if word not in own)
    between = _between(own[0].partition(":")[2].strip('"'), now) if len(own) == 1 and own[0][0] != "-" else None
    if between is None:
        raise GitHubInvalid(
            f"{query!r} matches more than {CAP} repositories, and Octobatch cannot divide its {' '.join(own)}: write "
            "created:2020-01-01..2024-12-31, or >=, >, <= or < and a day, narrow the search, or use an `org` entry"
        )
    return Slice(rest, *between)


def _between(text: str, now: datetime) -> tuple[datetime, datetime] | None:
    """The first and the last second that `created:` allows."""
    first, last = BEGINNING, now.replace(microsecond=0)
    if match := _SPAN.fullmatch(text):
        low, high = (_seconds_of(each) for each in match.groups())
        given = (low and low[0], high and high[1])
    elif match := _BOUND.fullmatch(text):
        seconds = _seconds_of(match[2])
        if seconds is None:
            return None
        given = {
            ">": (seconds[1] + _SECOND, last), ">=": (seconds[0], last), "<": (first, seconds[0] - _SECOND),
            "<=": (first, seconds[1]), "": seconds,
        }[match[1]]  # fmt: skip
    else:
        return None
    if given[0] is None or given[1] is None:
        return None
    return max(first, given[0]), min(last, given[1])


def _seconds_of(text: str) -> tuple[datetime, datetime] | None:
    """The first and the last second of a day or a time; of all time for `*`."""
    if text == "*":
        return BEGINNING, datetime.max.replace(tzinfo=UTC, microsecond=0)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    moment = moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    return moment, moment + (timedelta(days=1) - _SECOND if len(text) == _DAY_LENGTH else timedelta())


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
