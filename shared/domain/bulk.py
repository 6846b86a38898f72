"""Bulk operations: one action on every target of a run or a campaign that a filter lets through. Pure: no I/O.

What each action applies to is data (`APPLIES_TO`). Where it does not apply, `why_not` says why, in words that go on
from the repository's name: "acme/api is merged already".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StrictBool

from ..errors import InvalidInput, Problem
from .globs import InvalidGlob, check_glob, is_glob
from .ids import BulkOperationId, CampaignId, RunId
from .spec import MergeMethod
from .target import FOLLOWED, ChecksState, PublishAs, ReviewState, Target, TargetState


class BulkAction(StrEnum):
    """What can be done to many targets at once."""

    PUBLISH = "publish"  # open the pull request of a prepared target, or mark a draft ready
    UNDRAFT = "undraft"
    COMMENT = "comment"
    LABEL = "label"
    REQUEST_REVIEW = "request_review"
    REBASE = "rebase"  # run the steps again on the base as it is now
    RERUN = "rerun"  # the same, whatever came of the target
    RETRY = "retry"  # the same for those that failed or are blocked
    MERGE = "merge"
    ENABLE_AUTO_MERGE = "enable_auto_merge"
    CLOSE = "close"
    REOPEN = "reopen"
    DETACH = "detach"  # follow the pull request no more, and leave it to people
    ATTACH = "attach"  # follow a detached one again


_A, _S = BulkAction, TargetState
_WITH_PULL_REQUEST = frozenset(TargetState) - {_S.PENDING, _S.PREPARING, _S.PUBLISHING}

APPLIES_TO: dict[BulkAction, frozenset[TargetState]] = {
    _A.PUBLISH: frozenset({_S.PREPARED, _S.DRAFT}),
    _A.UNDRAFT: frozenset({_S.DRAFT, _S.CONFLICTED}),
    _A.COMMENT: _WITH_PULL_REQUEST,
    _A.LABEL: _WITH_PULL_REQUEST,
    _A.REQUEST_REVIEW: FOLLOWED,
    _A.REBASE: FOLLOWED,
    _A.RERUN: FOLLOWED | {_S.PREPARED, _S.UNCHANGED, _S.FAILED, _S.BLOCKED},
    _A.RETRY: frozenset({_S.FAILED, _S.BLOCKED}),
    _A.MERGE: frozenset({_S.OPEN}),
    _A.ENABLE_AUTO_MERGE: frozenset({_S.OPEN, _S.CONFLICTED}),
    _A.CLOSE: frozenset(TargetState) - {_S.MERGED, _S.CLOSED},
    _A.REOPEN: frozenset({_S.CLOSED}),
    _A.DETACH: _WITH_PULL_REQUEST,
    _A.ATTACH: _WITH_PULL_REQUEST,
}
"""The states of a target in which an action applies. Most ask for a pull request besides."""

ON_UNPUBLISHED = frozenset({_A.PUBLISH, _A.RERUN, _A.RETRY})
"""Actions that ask for no pull request."""

ON_PREVIEWS = frozenset({_A.RERUN, _A.RETRY})
"""Actions that make sense where nothing is published."""

BEGINNING_AGAIN = frozenset({_A.REBASE, _A.RERUN, _A.RETRY})
"""Actions that have the steps run once more."""

DESTRUCTIVE = frozenset({_A.MERGE, _A.ENABLE_AUTO_MERGE, _A.CLOSE, _A.DETACH})
"""Actions that cannot be taken back, or not wholly."""

_BECAUSE: dict[TargetState, str] = {
    _S.PENDING: "is being prepared",
    _S.PREPARING: "is being prepared",
    _S.PREPARED: "is not published",
    _S.UNCHANGED: "needs no change",
    _S.FAILED: "failed",
    _S.PUBLISHING: "is being published",
    _S.DRAFT: "is a draft",
    _S.OPEN: "is open",
    _S.MERGED: "is merged already",
    _S.CLOSED: "is closed",
    _S.CANCELLED: "was cancelled",
    _S.PAUSED: "is paused",
    _S.CONFLICTED: "conflicts with its base",
    _S.BLOCKED: "is blocked",
}
_BECAUSE_OF: dict[tuple[BulkAction, TargetState], str] = {
    (_A.UNDRAFT, _S.OPEN): "is ready for review already",
    (_A.PUBLISH, _S.OPEN): "is published already",
    (_A.PUBLISH, _S.CONFLICTED): "is published already",
    (_A.MERGE, _S.DRAFT): "is a draft: undraft it first",
    (_A.ENABLE_AUTO_MERGE, _S.DRAFT): "is a draft: undraft it first",
    (_A.MERGE, _S.CONFLICTED): "conflicts with its base: rebase it first",
    (_A.CLOSE, _S.CLOSED): "is closed already",
    (_A.REOPEN, _S.OPEN): "is open already",
    (_A.REOPEN, _S.DRAFT): "is open already",
    (_A.REOPEN, _S.CONFLICTED): "is open already",
}


class BulkParameters(BaseModel):
    """What an action takes: see `TAKES`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    body: str | None = Field(None, min_length=1, max_length=65_000, description="comment: its text, Markdown")
    labels: tuple[Annotated[str, Field(min_length=1, max_length=50)], ...] = Field(
        (), max_length=50, description="label: names; those that a repository has not are made"
    )
    users: tuple[Annotated[str, Field(min_length=1, max_length=100)], ...] = Field(
        (), max_length=15, description="request_review: logins"
    )
    teams: tuple[Annotated[str, Field(min_length=1, max_length=200)], ...] = Field(
        (), max_length=15, description="request_review: teams of the repository's owner, `core` or `acme/core`"
    )
    method: MergeMethod | None = Field(None, description="merge, enable_auto_merge: merge (default), squash or rebase")
    draft: StrictBool = Field(False, description="publish: open drafts")
    delete_branch: StrictBool = Field(False, description="close: delete the branch where nobody else pushed to it")
    keep_imported: StrictBool = Field(False, description="close: leave pull requests alone that were imported")

    @property
    def merge_method(self) -> MergeMethod:
        """How to merge."""
        return self.method or MergeMethod.MERGE


TAKES: dict[BulkAction, frozenset[str]] = {
    _A.PUBLISH: frozenset({"draft"}),
    _A.COMMENT: frozenset({"body"}),
    _A.LABEL: frozenset({"labels"}),
    _A.REQUEST_REVIEW: frozenset({"users", "teams"}),
    _A.MERGE: frozenset({"method"}),
    _A.ENABLE_AUTO_MERGE: frozenset({"method"}),
    _A.CLOSE: frozenset({"delete_branch", "keep_imported"}),
}
"""The parameters that an action takes; the others take none."""

NEEDS_ONE_OF = frozenset({_A.COMMENT, _A.LABEL, _A.REQUEST_REVIEW})
"""Actions that make no sense without one of the parameters that they take."""


def check_parameters(action: BulkAction, parameters: BulkParameters) -> None:
    """Raises `InvalidInput` for parameters that the action does not take, and for those that it lacks."""
    given = {name for name, value in parameters if value}
    takes = TAKES.get(action, frozenset[str]())
    problems = [
        Problem(f"{action} takes no {name}", path=f"parameters.{name}", hint=_takes_text(takes))
        for name in sorted(given - takes)
    ]
    if action in NEEDS_ONE_OF and not given & takes:
        problems.append(Problem(f"{action} needs {' or '.join(sorted(takes))}", path="parameters"))
    if parameters.method is MergeMethod.NONE:
        problems.append(Problem("is one of merge, squash and rebase", path="parameters.method"))
    if problems:
        raise InvalidInput(f"the parameters of {action} are not valid", problems)


def _takes_text(takes: frozenset[str]) -> str:
    return f"it takes {', '.join(sorted(takes))}" if takes else "it takes none"


class TargetFilter(BaseModel):
    """Which targets; what is empty or null lets all pass."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    ids: tuple[UUID, ...] = Field((), max_length=10_000, description="any of these targets")
    states: tuple[TargetState, ...] = Field((), description="any of these states")
    repository: str | None = Field(
        None, min_length=1, max_length=300, description="a glob of owner/name such as `acme/svc-*`, or a part of it"
    )
    review_states: tuple[ReviewState, ...] = Field((), description="any of these states of reviews")
    checks_states: tuple[ChecksState, ...] = Field((), description="any of these states of checks")
    group: str | None = Field(None, max_length=300, description="exactly this group of the spec; empty = no group")
    reason: str | None = Field(None, min_length=1, max_length=500, description="a part of the reason, in any case")
    text: str | None = Field(
        None, min_length=1, max_length=500, description="a part of the repository, the branch or the reason"
    )
    owner: str | None = Field(
        None,
        min_length=1,
        max_length=300,
        description="an account (`acme`), or a team (`acme/core`) or user (`@mona`) that the CODEOWNERS names for all"
        " that has no other owner, as far as owners were found",
    )
    wave: int | None = Field(None, ge=1, le=100, description="of this wave of the run's rollout, from 1")
    has_warnings: StrictBool | None = Field(None, description="with or without warnings")

    @property
    def names_repositories_by_glob(self) -> bool:
        """Whether `repository` is a glob, and no part of a name."""
        return self.repository is not None and is_glob(self.repository)


ALL_TARGETS = TargetFilter.model_validate({})


def check_filter(wanted: TargetFilter) -> None:
    """Raises `InvalidInput` for a glob that cannot be understood."""
    try:
        if wanted.repository and wanted.names_repositories_by_glob:
            check_glob(wanted.repository)
    except InvalidGlob as error:
        raise InvalidInput("the filter is not valid", [Problem(str(error), path="filter.repository")]) from None


def why_not(
    action: BulkAction, parameters: BulkParameters, target: Target, *, is_superseded: bool = False
) -> str | None:
    """Why the action does not apply to a target as it is; None where it applies.

    `is_superseded` says that a later run has its branch: nothing of this one is put on it any more.
    """
    if action is _A.ATTACH:
        return _why_not_attached(target, is_superseded=is_superseded)
    if target.is_detached:
        return "is detached"
    if target.is_imported and (action in BEGINNING_AGAIN - {_A.RETRY} or parameters.keep_imported):
        return "was imported, and is not made by the steps"
    if action is _A.CLOSE and parameters.delete_branch and _may_have_a_branch(target):
        return None
    if action not in ON_UNPUBLISHED and target.pull_request is None:
        return "has no pull request"
    if target.state not in APPLIES_TO[action]:
        return _reason(action, target)
    if is_superseded and (action in BEGINNING_AGAIN or target.state is _S.PREPARED):
        return "has a target of a later run"
    return _why_not_published(parameters, target) if action is _A.PUBLISH else None


def _why_not_attached(target: Target, *, is_superseded: bool) -> str | None:
    if not target.is_detached:
        return "is not detached"
    return "has a target of a later run" if is_superseded else None


def _why_not_published(parameters: BulkParameters, target: Target) -> str | None:
    if target.state is _S.PREPARED and target.publish_as is not PublishAs.NONE:
        return "waits for its turn to be published"
    return "is a draft already" if target.state is _S.DRAFT and parameters.draft else None


def _may_have_a_branch(target: Target) -> bool:
    """Whether a branch of ours may be there, without or beside a pull request that is closed."""
    if target.state in {_S.PENDING, _S.PREPARING, _S.PUBLISHING, _S.MERGED}:
        return False
    return target.head_oid is not None or (target.state is _S.CANCELLED and target.publish_as is not PublishAs.NONE)


def _reason(action: BulkAction, target: Target) -> str:
    if action is _A.RETRY:
        return "did not fail"
    because = _BECAUSE_OF.get((action, target.state), _BECAUSE[target.state])
    known = target.state in {_S.BLOCKED, _S.FAILED, _S.PAUSED} and target.reason
    return f"{because}: {target.reason}" if known else because


class BulkState(StrEnum):
    """`running → completed | cancelled`."""

    RUNNING = "running"
    COMPLETED = "completed"
    CANCELLED = "cancelled"


class BulkTargetState(StrEnum):
    """What became of one target of a bulk operation: `pending → done | skipped | failed | cancelled`."""

    PENDING = "pending"
    DONE = "done"
    SKIPPED = "skipped"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, kw_only=True)
class BulkScope:
    """Whose targets: those of one run, or where `run_id` is None those of a campaign."""

    campaign_id: CampaignId
    run_id: RunId | None = None


@dataclass(frozen=True, kw_only=True)
class BulkOperation:
    """A bulk operation as it is now, with how many of its targets are in each state."""

    id: BulkOperationId
    campaign_id: CampaignId
    campaign_name: str
    run_id: RunId | None
    action: BulkAction
    parameters: BulkParameters
    filter: TargetFilter
    state: BulkState
    created_by: str
    created_at: datetime
    finished_at: datetime | None
    counts: Mapping[BulkTargetState, int]
