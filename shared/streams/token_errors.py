"""Errors of the tokens worker on their way to the requester: as JSON, and as the same type of error again."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from ..errors import (
    GitHubForbidden,
    GitHubInvalid,
    GitHubLimited,
    GitHubNotFound,
    GitHubUnauthorized,
    GitHubUnavailable,
    InstallationNotFound,
    InstallationSuspended,
    InvalidInput,
    NotPermitted,
    OctobatchError,
    Unavailable,
)

_PLAIN: dict[str, type[OctobatchError]] = {
    error.__name__: error
    for error in (
        GitHubForbidden,
        GitHubInvalid,
        GitHubNotFound,
        GitHubUnauthorized,
        GitHubUnavailable,
        InstallationNotFound,
        InstallationSuspended,
        InvalidInput,
        NotPermitted,
    )
}


def error_answer(error: OctobatchError) -> dict[str, Any]:
    """The answer that tells a requester of `error`."""
    facts: dict[str, Any] = {"type": type(error).__name__, "message": str(error)}
    if isinstance(error, GitHubLimited):
        facts |= {"retry_at": error.retry_at.isoformat(), "secondary": error.secondary}
    return {"error": facts}


def error_from_answer(facts: Mapping[str, Any]) -> OctobatchError:
    """The error that an answer tells of; what is not known becomes `Unavailable`, which is worth another try."""
    name, message = str(facts.get("type", "")), str(facts.get("message", ""))
    if name == GitHubLimited.__name__:
        retry_at = datetime.fromisoformat(str(facts["retry_at"]))
        return GitHubLimited(message, retry_at=retry_at, secondary=bool(facts["secondary"]))
    if name in _PLAIN:
        return _PLAIN[name](message)
    return Unavailable("the tokens worker", message or "it answered with an error that it did not explain")
