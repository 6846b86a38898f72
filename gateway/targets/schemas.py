"""What targets show."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from pydantic import Field

from shared.domain.artifact import ArtifactKind
from shared.domain.target import ChecksState, ReviewState, TargetState

from ..schemas import Shown


class ShownDiffStat(Shown):
    """How large a change is."""

    files: int
    additions: int
    deletions: int


class ShownPullRequest(Shown):
    """The pull request of a target on GitHub."""

    number: int
    url: str


class ShownTarget(Shown):
    """A target as it is now."""

    id: UUID
    run_id: UUID
    repository: str = Field(description="owner/name")
    base_branch: str
    base_oid: str | None = Field(description="commit that the steps ran on")
    branch: str = Field(description="head branch of the pull request")
    group: str
    state: TargetState
    is_detached: bool = Field(description="its pull request is left to people, and not followed")
    review_state: ReviewState
    checks_state: ChecksState
    reason: str | None = Field(description="why it failed, is blocked or was left alone")
    warnings: tuple[str, ...] = Field(description="`kind: what`, of what might come in its way or went otherwise")
    diff_stat: ShownDiffStat | None
    pull_request: ShownPullRequest | None
    created_at: datetime
    updated_at: datetime


class ShownArtifact(Shown):
    """A stored artifact; its content is at `/v1/targets/{id}/{kind}`, and to save at `…/artifacts/{kind}/download`."""

    kind: ArtifactKind
    media_type: str
    size_bytes: int
    sha256: str = Field(description="hex digest of the content")
    created_at: datetime


class ShownEvent(Shown):
    """One thing that happened to a target."""

    id: UUID
    type: str
    payload: dict[str, Any]
    occurred_at: datetime


class TargetPart(StrEnum):
    """What a target can be shown with."""

    EVENTS = "events"
    ARTIFACTS = "artifacts"


class TargetDetails(ShownTarget):
    """A target, with what was asked for besides."""

    events: list[ShownEvent] | None = Field(None, description="the first 100")
    artifacts: list[ShownArtifact] | None = None
