"""The error tree: one type a meaning, with facts as fields.

Errors know nothing of HTTP or queues. `gateway/problems.py` maps each public error to a problem response,
`workers/retries.py` maps each to what becomes of the command.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime


class OctobatchError(Exception):
    """Base of every error that Octobatch raises on purpose. `str()` of it is fit for a user to read."""


# -- Input ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Problem:
    """One thing wrong in a document: what, where, and what to do."""

    message: str
    path: str = ""  # dotted path of the field, such as `steps.0.edit.replace.pattern`
    line: int | None = None  # 1-based line in the document, where known
    column: int | None = None
    hint: str = ""  # what to do, such as the nearest known key

    def __str__(self) -> str:
        where = f"line {self.line}: " if self.line else ""
        path = f"{self.path}: " if self.path else ""
        hint = f" ({self.hint})" if self.hint else ""
        return f"{where}{path}{self.message}{hint}"


class InvalidInput(OctobatchError):
    """A request or a document that cannot be accepted as it is; lists every problem found.

    `field` is what the message is about, as a dotted path, where that is the one problem.
    """

    def __init__(self, message: str, problems: Sequence[Problem] = (), *, field: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.problems = tuple(problems)
        self.field = field

    def __str__(self) -> str:
        return "\n  ".join([self.message, *map(str, self.problems)])


class InvalidSpec(InvalidInput):
    """A campaign spec that is not valid."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("the campaign spec is not valid", problems)


class InvalidPolicies(InvalidInput):
    """A document of trust policies that is not valid."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("the trust policies are not valid", problems)


class InvalidSettings(OctobatchError):
    """A setting is missing or has a value that cannot be used; the process must not start."""


# -- Resources --------------------------------------------------------------------------------------------


class NotFound(OctobatchError):
    """Something named in a request does not exist."""

    def __init__(self, kind: str, identifier: object) -> None:
        super().__init__(f"there is no {kind} {identifier}")
        self.kind = kind
        self.identifier = str(identifier)


class ArtifactDeleted(NotFound):
    """An artifact was deleted, since its run ended longer ago than artifacts are kept."""

    def __init__(self, kind: str, target_id: object) -> None:
        super().__init__(f"{kind} of target", target_id)
        self.args = (f"{kind} of target {target_id} was deleted: its run ended longer ago than artifacts are kept",)


class Conflict(OctobatchError):
    """The request contradicts the present state; the message says what would be possible."""


class AlreadyExists(Conflict):
    """A resource of that name exists."""

    def __init__(self, kind: str, identifier: object) -> None:
        super().__init__(f"{kind} {identifier} exists already")
        self.kind = kind
        self.identifier = str(identifier)


class InvalidTransition(Conflict):
    """A state machine does not allow this step."""

    def __init__(self, kind: str, current: str, wanted: str) -> None:
        super().__init__(f"a {kind} that is {current} cannot become {wanted}")
        self.kind, self.current, self.wanted = kind, current, wanted


class PreconditionFailed(OctobatchError):
    """What the request was to change is not what its sender saw."""


class AlreadyDone(OctobatchError):
    """The effect of this command is recorded already; a second run must change nothing."""


# -- Who may --------------------------------------------------------------------------------------------


class NotAuthenticated(OctobatchError):
    """No valid credential came with the request."""


class NotPermitted(OctobatchError):
    """The principal may not do this."""


# -- Waiting and failing of commands ------------------------------------------------------------------------


class Defer(OctobatchError):
    """The command must wait until `until`; no attempt is spent."""

    def __init__(self, until: datetime, why: str) -> None:
        super().__init__(f"waits until {until.isoformat(timespec='seconds')}: {why}")
        self.until, self.why = until, why


class Unavailable(OctobatchError):
    """A store or service cannot be reached now; the command is tried again."""

    def __init__(self, service: str, why: str) -> None:
        super().__init__(f"{service} is not available: {why}")
        self.service, self.why = service, why


# -- GitHub ---------------------------------------------------------------------------------------------


class GitHubError(OctobatchError):
    """GitHub answered with an error."""

    def __init__(self, message: str, *, status: int | None = None) -> None:
        super().__init__(message)
        self.message, self.status = message, status


class GitHubUnavailable(GitHubError):
    """No answer, or a 5xx: worth another try."""


class GitHubNotFound(GitHubError):
    """404, or a GraphQL `NOT_FOUND`: it does not exist, or the App may not see it."""


class GitHubForbidden(GitHubError):
    """403 without a limit: a permission is missing."""


class GitHubUnauthorized(GitHubError):
    """401: the token or the App key is not accepted; `answered_at` is GitHub's clock, to tell a clock that is off."""

    def __init__(self, message: str, *, status: int | None = None, answered_at: datetime | None = None) -> None:
        super().__init__(message, status=status)
        self.answered_at = answered_at


class GitHubInvalid(GitHubError):
    """422, or a GraphQL `UNPROCESSABLE`: GitHub refuses the content of the request."""


class GitHubLimited(GitHubError):
    """A primary or secondary rate limit; `retry_at` is the earliest time to ask again."""

    def __init__(self, message: str, *, retry_at: datetime, secondary: bool, status: int | None = None) -> None:
        super().__init__(message, status=status)
        self.retry_at, self.secondary = retry_at, secondary


class InstallationSuspended(GitHubError):
    """The installation is suspended: its targets are blocked until it is not."""


class InstallationNotFound(GitHubError):
    """The App is not installed (any more) where the repository lives."""


# -- Targets --------------------------------------------------------------------------------------------


class StepFailed(OctobatchError):
    """A step of the spec failed in one repository; the target is failed with this as its reason.

    `log` is what the steps said until then, for the target's log.
    """

    def __init__(self, step_index: int, why: str, *, log: bytes = b"") -> None:
        super().__init__(f"step {step_index + 1}: {why}")
        self.step_index, self.why, self.log = step_index, why, log


class TargetBlocked(OctobatchError):
    """A target cannot go on until somebody acts (foreign commits, opt-out, suspended installation)."""
