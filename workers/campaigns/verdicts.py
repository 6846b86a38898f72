"""What an error means for a target: failed, blocked until somebody acts, or neither, and the command is retried."""

from __future__ import annotations

from dataclasses import dataclass

from shared.domain.target import TargetState
from shared.domain.templates import InvalidTemplate
from shared.errors import (
    GitHubForbidden,
    GitHubInvalid,
    GitHubNotFound,
    InstallationNotFound,
    InstallationSuspended,
    InvalidInput,
    NotFound,
    NotPermitted,
    StepFailed,
    TargetBlocked,
)

FAILING = (StepFailed, GitHubInvalid, GitHubNotFound, InvalidInput, InvalidTemplate, NotFound)
BLOCKING = (GitHubForbidden, InstallationNotFound, InstallationSuspended, NotPermitted, TargetBlocked)
JUDGED = FAILING + BLOCKING
"""The errors that `verdict_on` takes. A limit is none of them: it fails and blocks nothing."""


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """The state that an error puts a target into, and the reason to show."""

    state: TargetState
    reason: str


def verdict_on(error: Exception) -> Verdict:
    """What one of the `JUDGED` errors means for its target."""
    state = TargetState.BLOCKED if isinstance(error, BLOCKING) else TargetState.FAILED
    return Verdict(state=state, reason=str(error))
