"""A selection: the immutable answer to the `on` part of a spec, each repository with the reason for in or out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from .ids import CampaignId, RunId, SelectionId
from .repository import Repository


class SelectionState(StrEnum):
    """`pending → selecting → complete | failed | cancelled`."""

    PENDING = "pending"
    SELECTING = "selecting"
    COMPLETE = "complete"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, kw_only=True)
class Selection:
    """A selection made from one spec document. `included` and `excluded` count repositories and branches."""

    id: SelectionId
    campaign_id: CampaignId | None
    run_id: RunId | None
    document: str  # the YAML spec that it was made from
    state: SelectionState
    included: int
    excluded: int
    error: str | None
    created_by: str
    created_at: datetime
    finished_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class SelectedRepository:
    """One repository and branch of a selection, and why it is in or out.

    `entry` is the index of the spec's `on` entry that found it first, `branch` the base branch.
    `head_oid` is the commit at that branch when it was selected.
    """

    repository: Repository
    branch: str
    head_oid: str | None
    included: bool
    entry: int
    reason: str
