"""What bulk operations take and show."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from pydantic import Field

from shared.domain.bulk import ALL_TARGETS, BulkAction, BulkParameters, BulkState, BulkTargetState, TargetFilter

from ..schemas import Given, Shown
from ..targets.schemas import ShownTarget


class NewBulkOperation(Given):
    """An action on every target that the filter lets through."""

    action: BulkAction
    parameters: BulkParameters = Field(
        default_factory=lambda: BulkParameters.model_validate({}), description="what the action takes"
    )
    filter: TargetFilter = Field(ALL_TARGETS, description="which targets; without it all")
    dry_run: bool = Field(False, description="say what it would do, and do nothing")


class ShownReason(Shown):
    """Why so many targets were skipped, or failed."""

    state: BulkTargetState
    reason: str
    count: int


class ShownBulkOperation(Shown):
    """A bulk operation as it is now."""

    id: UUID
    campaign_id: UUID
    campaign_name: str
    run_id: UUID | None = Field(description="the run whose targets they are; null for a campaign's")
    action: BulkAction
    parameters: BulkParameters
    filter: TargetFilter
    state: BulkState
    counts: dict[BulkTargetState, int] = Field(description="targets by state", examples=[{"done": 38, "skipped": 2}])
    created_by: str
    created_at: datetime
    finished_at: datetime | None


class BulkDetails(ShownBulkOperation):
    """A bulk operation with the commonest reasons."""

    reasons: list[ShownReason] = Field(description="why targets were skipped or failed, the commonest first")


class BulkOutcome(Shown):
    """What a bulk operation is for, and the operation itself where it was made."""

    dry_run: bool
    applies: int = Field(description="targets that are acted on")
    first: list[str] = Field(description="the repositories of the first of them")
    skipped: int = Field(description="targets that the filter lets through, and that the action does not apply to")
    reasons: list[ShownReason] = Field(description="why they are skipped, the commonest first")
    bulk_operation: ShownBulkOperation | None = Field(description="null in a dry run")


class ShownBulkTarget(Shown):
    """A target of a bulk operation, and what became of it there."""

    target: ShownTarget
    state: BulkTargetState
    reason: str | None
    finished_at: datetime | None


class NewClosing(Given):
    """How to close a campaign."""

    delete_branches: bool = Field(True, description="delete the branches that hold nothing but Octobatch's commits")
    dry_run: bool = Field(False, description="say what it would do, and do nothing")


class ClosingOutcome(Shown):
    """What closing a campaign ends."""

    dry_run: bool
    runs: int = Field(description="unfinished runs, which are cancelled")
    pull_requests: int = Field(description="open pull requests, which are closed")
    branches: int = Field(description="branches, which are deleted unless somebody has pushed to them")
    bulk_operation: ShownBulkOperation | None = Field(description="what closes them; null in a dry run")
