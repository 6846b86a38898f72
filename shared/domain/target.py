"""A target: one repository, base branch and group of a run, on its way to a merged pull request."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from ..errors import InvalidTransition
from .ids import CampaignId, InstallationId, RunId, TargetId


class TargetState(StrEnum):
    """Where a target is. The allowed steps stand in `TARGET_TRANSITIONS`."""

    PENDING = "pending"
    PREPARING = "preparing"
    PREPARED = "prepared"  # the diff is stored
    UNCHANGED = "unchanged"  # the steps changed nothing: no pull request
    FAILED = "failed"
    PUBLISHING = "publishing"
    DRAFT = "draft"
    OPEN = "open"
    MERGED = "merged"
    CLOSED = "closed"
    CANCELLED = "cancelled"
    PAUSED = "paused"
    CONFLICTED = "conflicted"
    BLOCKED = "blocked"  # foreign commits, suspended installation, opt-out: somebody must act


_S = TargetState
_STOPPABLE = frozenset({_S.CANCELLED, _S.PAUSED, _S.FAILED, _S.BLOCKED})
_ENDED_ON_GITHUB = frozenset({_S.MERGED, _S.CLOSED})  # its pull request, while the target is on its way again

TARGET_TRANSITIONS: dict[TargetState, frozenset[TargetState]] = {
    _S.PENDING: frozenset({_S.PREPARING, _S.PREPARED}) | _STOPPABLE | _ENDED_ON_GITHUB,
    _S.PREPARING: frozenset({_S.PREPARED, _S.UNCHANGED, _S.CONFLICTED, _S.OPEN, _S.DRAFT})
    | _STOPPABLE
    | _ENDED_ON_GITHUB,
    _S.PREPARED: frozenset({_S.PUBLISHING, _S.PENDING}) | _STOPPABLE | _ENDED_ON_GITHUB,
    _S.PUBLISHING: frozenset({_S.DRAFT, _S.OPEN, _S.CONFLICTED, _S.PENDING}) | _STOPPABLE | _ENDED_ON_GITHUB,
    _S.DRAFT: frozenset({_S.OPEN, _S.MERGED, _S.CLOSED, _S.CONFLICTED, _S.BLOCKED, _S.PENDING}),
    _S.OPEN: frozenset({_S.DRAFT, _S.MERGED, _S.CLOSED, _S.CONFLICTED, _S.BLOCKED, _S.PENDING}),
    _S.CONFLICTED: frozenset({_S.OPEN, _S.DRAFT, _S.MERGED, _S.CLOSED, _S.BLOCKED, _S.PENDING}),
    _S.CLOSED: frozenset({_S.OPEN, _S.DRAFT, _S.CONFLICTED, _S.MERGED}),
    _S.PAUSED: frozenset({_S.PENDING, _S.PREPARED, _S.OPEN, _S.DRAFT, _S.CANCELLED}) | _ENDED_ON_GITHUB,
    _S.BLOCKED: frozenset({_S.PENDING, _S.OPEN, _S.DRAFT, _S.MERGED, _S.CLOSED, _S.CANCELLED}),
    _S.FAILED: frozenset({_S.PENDING, _S.CANCELLED}) | _ENDED_ON_GITHUB,
    _S.UNCHANGED: frozenset({_S.PENDING, _S.CLOSED}),
    _S.CANCELLED: frozenset({_S.PENDING, _S.MERGED}),
    _S.MERGED: frozenset(),
}
"""Where a target may go from where it is.

Whatever begins anew (a retry, a rebase, steps run again) goes to `pending` with the next `attempt`. A target whose
steps fail then keeps the pull request that it has, and goes back to `open`, `draft` or `conflicted` with a reason.
A cancelled target keeps an open pull request too, which may be merged all the same.
What was at work on GitHub when its run was paused ends, and makes a paused target `open` or `draft`.
"""

UNSETTLED = frozenset({_S.PENDING, _S.PREPARING, _S.PREPARED, _S.PUBLISHING, _S.PAUSED})
"""States in which an apply run still has work to do; in a dry run, `prepared` is settled too."""

BY_RESUMING_ALONE = frozenset({_S.PENDING, _S.PREPARED})
"""Where a paused target goes when its run is resumed, and not because a worker ends what it was doing."""

FOLLOWED = frozenset({_S.DRAFT, _S.OPEN, _S.CONFLICTED})
"""States with a pull request that may still change on GitHub."""


class PublishAs(StrEnum):
    """How a target is published once it is prepared; `none` leaves it prepared (a dry run, `published: false`)."""

    OPEN = "open"
    DRAFT = "draft"
    NONE = "none"


class ReviewState(StrEnum):
    """The state of reviews of a target's pull request."""

    NONE = "none"
    PENDING = "pending"
    APPROVED = "approved"
    CHANGES_REQUESTED = "changes_requested"
    COMMENTED = "commented"
    DISMISSED = "dismissed"


class ChecksState(StrEnum):
    """The rolled-up state of checks on a target's branch."""

    UNKNOWN = "unknown"
    PENDING = "pending"
    PASSED = "passed"
    FAILED = "failed"


def states_before(state: TargetState) -> tuple[TargetState, ...]:
    """The states from which a target may become `state`, for `WHERE state = ANY($from)`."""
    return tuple(before for before, after in TARGET_TRANSITIONS.items() if state in after)


def check_transition(current: TargetState, wanted: TargetState) -> None:
    """Raises `InvalidTransition` where the table does not allow the step."""
    if wanted not in TARGET_TRANSITIONS[current]:
        raise InvalidTransition("target", current, wanted)


@dataclass(frozen=True, kw_only=True)
class DiffStat:
    """How large a change is, in files and lines."""

    files: int
    additions: int
    deletions: int


@dataclass(frozen=True, kw_only=True)
class PullRequestRef:
    """The pull request of a target on GitHub."""

    number: int
    node_id: str
    url: str


@dataclass(frozen=True, kw_only=True)
class NewTarget:
    """A target to plan; the fields are those of `Target`."""

    id: TargetId
    run_id: RunId
    campaign_id: CampaignId
    repository_node_id: str
    repository_id: int
    repository: str
    installation_id: InstallationId
    base_branch: str
    base_oid: str | None
    branch: str
    publish_as: PublishAs
    group: str = ""
    attempt: int = 1
    batch: int = 0


@dataclass(frozen=True, kw_only=True)
class Target:
    """A target as it is now.

    `branch` is the head branch that Octobatch owns, `base_branch` the branch it asks to be merged into,
    `base_oid` the commit that the steps ran on, `head_oid` the commit that Octobatch last put on `branch`.
    `repository_id` is GitHub's number of the repository, `repository_node_id` its identity in GraphQL.
    `reason` says why it failed, is blocked or was left alone.
    `is_detached` says that its pull request is left to people, `is_imported` that people made it.
    `warnings` are texts `kind: what`, of what might come in its way, or went otherwise and is no failure.
    `attempt` counts from 1 how often it began. Targets of a run and an installation with the same `batch` are read
    together and share tokens.
    """

    id: TargetId
    run_id: RunId
    campaign_id: CampaignId
    repository_node_id: str
    repository: str  # owner/name
    installation_id: InstallationId
    base_branch: str
    base_oid: str | None
    branch: str
    group: str  # empty unless the spec groups or splits changes
    state: TargetState
    review_state: ReviewState
    checks_state: ChecksState
    reason: str | None
    diff_stat: DiffStat | None
    pull_request: PullRequestRef | None
    created_at: datetime
    updated_at: datetime
    repository_id: int = 0
    publish_as: PublishAs = PublishAs.NONE
    head_oid: str | None = None
    attempt: int = 1
    batch: int = 0
    is_detached: bool = False
    is_imported: bool = False
    warnings: tuple[str, ...] = ()
