"""What runs take and show."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from pydantic import Field

from shared.domain.run import Moved, RunState
from shared.domain.target import TargetState
from shared.domain.waiting import Wait, WaitKind

from ..schemas import Given, Shown, ShownOperation
from ..selections.schemas import ShownSelection


class NewRun(Given):
    """How to run a campaign."""

    dry_run: bool = Field(False, description="prepare every target and publish nothing")
    version: int | None = Field(None, ge=1, lt=2**31, description="spec version; none = the newest")
    preview_run_id: UUID | None = Field(
        None, description="publish what this completed dry run has prepared; no step runs again"
    )
    moved: Moved = Field(
        Moved.BLOCK,
        description="with preview_run_id, what is done where a base branch moved since: block leaves the target as"
        " `blocked`, prepare prepares it anew",
    )


class ShownRun(Shown):
    """A run as it is now."""

    id: UUID
    campaign_id: UUID
    campaign_name: str
    spec_version: int
    selection_id: UUID | None
    dry_run: bool
    state: RunState
    error: str | None = Field(description="why it failed as a whole; targets have reasons of their own")
    created_by: str
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    paused_at: datetime | None = Field(None, description="since when it is paused; null where it goes on")
    paused_by: str | None = None
    preview_run_id: UUID | None = Field(description="the preview that it publishes")


class ShownWait(Shown):
    """Something that a run waits for."""

    kind: WaitKind
    text: str = Field(description="in words, as they are true now")
    until: datetime | None = Field(description="until when, where time alone decides")

    @classmethod
    def of(cls, wait: Wait, now: datetime) -> ShownWait:
        """As it is at `now`."""
        return cls(kind=wait.kind, text=wait.in_words(now), until=wait.until)


class ShownWarningCount(Shown):
    """A kind of warning, and how many targets of a run have it."""

    kind: str
    count: int
    message: str = Field(description="that of the first of them")
    repositories: tuple[str, ...] = Field(description="owner/name of the first three")


class RunSort(StrEnum):
    """What runs are ordered by."""

    CREATED = "created"
    CREATED_LAST = "-created"


class RunPart(StrEnum):
    """What a run is shown with, unless some parts alone are asked for."""

    COUNTS = "counts"
    WARNINGS = "warnings"
    SELECTION = "selection"
    OUTLOOK = "outlook"  # limits_allow_at, waits_for, expected_at


class RunDetails(ShownRun):
    """A run with its targets counted."""

    counts: dict[TargetState, int] | None = Field(
        None, description="targets by state", examples=[{"open": 38, "unchanged": 2}]
    )
    warnings: list[ShownWarningCount] | None = Field(None, description="of its targets; those of most targets first")
    selection: ShownSelection | None = None
    limits_allow_at: datetime | None = Field(
        None,
        description="the earliest that GitHub's limits let all its pull requests be open; null where none is to come",
    )
    waits_for: list[ShownWait] | None = Field(
        None, description="why no pull request is opened at this moment; empty where it goes on"
    )
    expected_at: datetime | None = Field(
        None, description="when its work is expected to be done; null where that is not known, or depends on merges"
    )


class StartedRun(Shown):
    """A run that was accepted, and the operation that begins it."""

    run: ShownRun
    operation: ShownOperation
