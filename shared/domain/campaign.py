"""A campaign: a name, and a row of immutable spec versions."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from .ids import CampaignId


class CampaignState(StrEnum):
    """An archived campaign keeps its history and starts no run."""

    ACTIVE = "active"
    ARCHIVED = "archived"


class CampaignSort(StrEnum):
    """What campaigns are ordered by, then by name; with `-` before it the last comes first."""

    NAME = "name"
    NAME_LAST = "-name"
    CREATED = "created"
    CREATED_LAST = "-created"
    UPDATED = "updated"
    UPDATED_LAST = "-updated"


@dataclass(frozen=True, kw_only=True)
class Campaign:
    """What a campaign is now. `current_version` counts from 1; `closed_at` is when its pull requests were closed.

    Where its spec has a `schedule` it runs again at `next_run_at`, or when the run of then is finished.
    """

    id: CampaignId
    name: str
    namespace: str
    description: str
    state: CampaignState
    current_version: int
    created_by: str
    created_at: datetime
    updated_at: datetime
    archived_at: datetime | None = None
    closed_at: datetime | None = None
    next_run_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class SpecVersion:
    """One version of a campaign's spec; never changed once written.

    `document` is the YAML as it was given, `sha256` the hex digest of its UTF-8 bytes.
    """

    campaign_id: CampaignId
    version: int
    document: str
    sha256: str
    created_by: str
    created_at: datetime
