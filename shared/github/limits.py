"""From a response of GitHub to what it means: None, or the error to raise. Pure: no I/O, no clock.

GitHub says "too fast" in five ways: 429; 403 with `x-ratelimit-remaining: 0` (primary limit); 403 with
`retry-after`; 403 whose message speaks of a secondary rate limit, often with requests remaining; and GraphQL
answers of status 200 with an error of type `RATE_LIMITED`. All become `GitHubLimited` with the earliest time to
ask again: `retry-after` where given, else the reset where nothing remains, else a minute from now.

Sources: docs.github.com "Rate limits for the REST API", "Rate limits and query limits for the GraphQL API",
"Best practices for using the REST API".
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, cast

from ..errors import (
    GitHubError,
    GitHubForbidden,
    GitHubInvalid,
    GitHubLimited,
    GitHubNotFound,
    GitHubUnauthorized,
    GitHubUnavailable,
    InstallationSuspended,
)
from ..observability.redaction import redact

SECONDARY_WAIT = timedelta(seconds=60)
"""The least wait after a limit that names no time."""

LONGEST_WAIT = timedelta(hours=2)
"""No limit of GitHub's lasts longer; a reset further away is a clock that is wrong."""

_SECONDARY = re.compile(r"\bsecondary rate\b", re.IGNORECASE)
_PRIMARY = re.compile(r"\brate limit\b.*\bexceeded\b|\bexceeded\b.*\brate limit\b", re.IGNORECASE)
_SUSPENDED = re.compile(r"\binstallation has been suspended\b", re.IGNORECASE)
_TIMED_OUT = re.compile(r"something went wrong|timed? ?out|timeout", re.IGNORECASE)
_LIMIT_TYPES = frozenset({"RATE_LIMITED", "RATE_LIMIT"})
_LONGEST_MESSAGE = 500


def error_of(status: int, headers: Mapping[str, str], body: bytes, *, now: datetime) -> GitHubError | None:
    """What a response of this status, headers (lower-case names) and body means; None where it is no error."""
    if status < 400:
        return None
    answer = _json_object(body)
    message = _message(status, answer)
    if status in {403, 429}:
        limited = _limited(status, headers, message, now=now)
        if limited:
            return limited
    if status == 401:
        return GitHubUnauthorized(message, status=status, answered_at=answered_at(headers))
    return _by_status(status, message)


def graphql_limit(headers: Mapping[str, str], answer: Mapping[str, Any], *, now: datetime) -> GitHubLimited | None:
    """The limit that a GraphQL answer of status 200 speaks of, or None."""
    for error in answer.get("errors") or ():
        message = redacted(str(error.get("message", "")))
        secondary = bool(_SECONDARY.search(message))
        if error.get("type") in _LIMIT_TYPES or secondary:
            retry_at = _retry_at(headers, now=now)
            return GitHubLimited(message, retry_at=retry_at, secondary=secondary, status=200)
    return None


def graphql_error(message: str, error_type: str | None) -> GitHubError:
    """The error that one entry of a GraphQL answer's `errors` stands for."""
    text = redacted(message)
    if error_type == "NOT_FOUND":
        return GitHubNotFound(text, status=200)
    if error_type in {"FORBIDDEN", "INSUFFICIENT_SCOPES"}:
        return GitHubForbidden(text, status=200)
    if error_type in {None, "SERVICE_UNAVAILABLE", "INTERNAL"} and _TIMED_OUT.search(text):
        return GitHubUnavailable(text, status=200)
    return GitHubInvalid(text, status=200)


def answered_at(headers: Mapping[str, str]) -> datetime | None:
    """GitHub's clock when it answered, from the `Date` header."""
    try:
        return parsedate_to_datetime(headers["date"]).astimezone(UTC)
    except (KeyError, ValueError):
        return None


def redacted(text: str) -> str:
    """`text` without secrets, and not longer than a message should be."""
    return redact(text)[:_LONGEST_MESSAGE]


def _by_status(status: int, message: str) -> GitHubError:
    if status >= 500 or status == 408:
        return GitHubUnavailable(message, status=status)
    if status in {404, 410}:
        return GitHubNotFound(message, status=status)
    if status == 403 and _SUSPENDED.search(message):
        return InstallationSuspended(message, status=status)
    if status in {403, 451}:
        return GitHubForbidden(message, status=status)
    return GitHubInvalid(message, status=status)


def _limited(status: int, headers: Mapping[str, str], message: str, *, now: datetime) -> GitHubLimited | None:
    secondary = bool(_SECONDARY.search(message))
    exhausted = headers.get("x-ratelimit-remaining") == "0"
    speaks_of_limit = secondary or exhausted or "retry-after" in headers or bool(_PRIMARY.search(message))
    if status != 429 and not speaks_of_limit:
        return None
    primary = not secondary and (exhausted or bool(_PRIMARY.search(message)))
    return GitHubLimited(message, retry_at=_retry_at(headers, now=now), secondary=not primary, status=status)


def _retry_at(headers: Mapping[str, str], *, now: datetime) -> datetime:
    wait = _seconds(headers.get("retry-after"))
    if wait is None and headers.get("x-ratelimit-remaining") == "0":
        # the reset is a moment of GitHub's clock: measure it against GitHub's own Date, not against ours
        reset = _seconds(headers.get("x-ratelimit-reset"))
        here = answered_at(headers) or now
        wait = None if reset is None else reset - here.timestamp() + 1
    if wait is None:
        return now + SECONDARY_WAIT
    return now + min(max(timedelta(seconds=wait), timedelta(seconds=1)), LONGEST_WAIT)


def _seconds(value: str | None) -> float | None:
    try:
        return float(value) if value is not None else None
    except ValueError:
        return None


def _json_object(body: bytes) -> dict[str, Any]:
    try:
        answer = json.loads(body)
    except ValueError:
        return {}
    return cast("dict[str, Any]", answer) if isinstance(answer, dict) else {}


def _message(status: int, answer: Mapping[str, Any]) -> str:
    message = str(answer.get("message") or f"GitHub answered {status}")
    errors = answer.get("errors")
    details = [_detail(error) for error in cast("list[Any]", errors)] if isinstance(errors, list) else []
    return redacted(": ".join([message, "; ".join(details)]) if details else message)


def _detail(error: Any) -> str:
    """One entry of the `errors` of a 422, which are texts or objects of several shapes."""
    if not isinstance(error, dict):
        return str(error)
    facts = cast("dict[str, Any]", error)
    if facts.get("message"):
        return str(facts["message"])
    return " ".join(str(facts[key]) for key in ("resource", "field", "code") if facts.get(key))
