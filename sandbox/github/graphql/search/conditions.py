"""SQL conditions with their parameters, and how values of qualifiers become them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from ...access import Viewer
from .text import SearchRefused, Word, not_supported

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}$")
_RANGE = re.compile(r"(?P<low>[^.]+|\*)\.\.(?P<high>.+)$")
_COMPARISON = re.compile(r"(?P<operator>>=|<=|>|<)?(?P<value>.+)$")


@dataclass
class Conditions:
    """Conditions that must all hold."""

    sql: list[str] = field(default_factory=list)
    parameters: list[Any] = field(default_factory=list)

    def add(self, sql: str, *parameters: Any, negated: bool = False) -> None:
        """One more condition, or that it does not hold (also where a column is null)."""
        self.sql.append(f"NOT coalesce({sql}, 0)" if negated else sql)
        self.parameters += parameters

    def add_words(self, columns: Sequence[str], groups: Iterable[Sequence[Word]]) -> None:
        """Of each group of words, one must be in one of the columns (or, negated, in none)."""
        for group in groups:
            parts: list[str] = []
            for word in group:
                pattern = re.sub(r"([\\%_])", r"\\\1", word.text)
                found = " OR ".join(f"coalesce({column}, '') LIKE ? ESCAPE '\\'" for column in columns)
                parts.append(f"NOT ({found})" if word.negated else f"({found})")
                self.parameters += [f"%{pattern}%"] * len(columns)
            self.sql.append(f"({' OR '.join(parts)})")

    @property
    def where(self) -> str:
        """The SQL of all."""
        return " AND ".join(self.sql) or "1"


def visible_to(viewer: Viewer) -> tuple[str, list[Any]]:
    """The condition on `repositories` that the viewer may know of it."""
    if viewer.installation is None:
        return "0", []
    if viewer.repository_ids is None:
        return "(repositories.owner_id = ? OR repositories.visibility = 'public')", [viewer.installation.account_id]
    mine = "repositories.id IN (SELECT value FROM json_each(?))"
    return f"({mine} OR repositories.visibility = 'public')", [json.dumps(sorted(viewer.repository_ids))]


def numbers(column: str, text: str) -> tuple[str, list[int]]:
    """A condition from `5`, `>5`, `>=5`, `<5`, `<=5`, `5..9`, `*..9`, `5..*`."""
    if match := _RANGE.match(text):
        bounds = [(">=", match["low"]), ("<=", match["high"])]
        kept = [(operator, value) for operator, value in bounds if value != "*"]
    else:
        match = _COMPARISON.match(text)
        kept = [(match["operator"] or "=", match["value"])] if match else []
    try:
        values = [int(value) for _, value in kept]
    except ValueError as error:
        raise SearchRefused(f'"{text}" is not a recognized number or range.') from error
    return " AND ".join(f"{column} {operator} ?" for operator, _ in kept) or "1", values


def times(column: str, text: str) -> tuple[str, list[str]]:
    """A condition from a day or a time, compared or as a range; a day stands for all its seconds, in UTC."""
    if match := _RANGE.match(text):
        low = [] if match["low"] == "*" else [(">=", _moments(match["low"])[0])]
        high = [] if match["high"] == "*" else [("<=", _moments(match["high"])[1])]
        bounds = low + high
    else:
        match = _COMPARISON.match(text)
        operator, (first, last) = (match["operator"], _moments(match["value"])) if match else (None, _moments(text))
        sides = {">": [(">", last)], ">=": [(">=", first)], "<": [("<", first)], "<=": [("<=", last)]}
        bounds = sides.get(operator or "", [(">=", first), ("<=", last)])
    return " AND ".join(f"{column} {operator} ?" for operator, _ in bounds) or "1", [value for _, value in bounds]


def flag(name: str, text: str) -> bool:
    """`true` or `false`."""
    if text.lower() not in {"true", "false"}:
        raise not_supported(f"`{name}:{text}`")
    return text.lower() == "true"


def _moments(text: str) -> tuple[str, str]:
    """The first and the last second that a day or time stands for, as stored."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise SearchRefused(
            f'"{text}" is not a recognized date/time format. '
            "Please provide an ISO 8601 date/time value, such as YYYY-MM-DD."
        ) from error
    moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    last = moment + timedelta(days=1, seconds=-1) if _DAY.match(text) else moment
    return _stamp(moment), _stamp(last)


def _stamp(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
