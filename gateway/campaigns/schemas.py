"""What campaigns show."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from pydantic import Field

from shared.domain.campaign import CampaignState
from shared.domain.spec.differences import ChangedPart
from shared.domain.target import TargetState

from ..runs.schemas import ShownRun
from ..schemas import Shown


class ShownCampaign(Shown):
    """A campaign as it is now."""

    id: UUID
    name: str
    namespace: str = Field(description="whose it is: who may see and run it")
    description: str
    state: CampaignState
    current_version: int = Field(description="newest spec version, from 1")
    created_by: str
    created_at: datetime
    updated_at: datetime
    archived_at: datetime | None
    closed_at: datetime | None = Field(description="when its pull requests were closed for good")
    next_run_at: datetime | None = Field(description="when its schedule runs it again; null where it has none")


class CampaignPart(StrEnum):
    """What a campaign can be shown with."""

    LATEST_RUN = "latest_run"
    COUNTS = "counts"


class CampaignDetails(ShownCampaign):
    """A campaign, with what was asked for besides."""

    latest_run: ShownRun | None = None
    counts: dict[TargetState, int] | None = Field(None, description="targets of its latest run by state")


class ShownVersion(Shown):
    """An immutable version of a campaign's spec."""

    version: int
    document: str
    sha256: str = Field(description="hex digest of the document's UTF-8 bytes")
    created_by: str
    created_at: datetime


class ShownSpecChange(Shown):
    """A part of a spec that changed."""

    part: ChangedPart
    meaning: str


class ShownSpecDifference(Shown):
    """What is different between two specs."""

    lines: str = Field(description="unified diff of the documents; empty where they are the same")
    changes: list[ShownSpecChange] | None = Field(description="null where one of the two is not valid any more")
