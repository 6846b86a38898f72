"""A selection: the immutable answer to the `on` part of a spec, each repository with the reason for in or out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from .ids import CampaignId, RunId, SelectionId
from .repository import Repository


class SelectionState(StrEnum):
    """`pending → selecting → complete | failed | cancelled`."""

    PENDING = "pending"
    SELECTING = "selecting"
    COMPLETE = "complete"
    FAILED = "failed"
    CANCELLED = "cancelled"


class SelectionPhase(StrEnum):
    """What a selection that is being made is doing: `finding → examining`."""

    FINDING = "finding"
    EXAMINING = "examining"


@dataclass(frozen=True, kw_only=True)
class Selection:
    """A selection made from one spec document. `included` and `excluded` count repositories and branches.

    While it is made: `found` of `expected` (None where nobody can say yet) were found by the entries, and of those
    that their files decide about, `examined` of `to_examine`. `requests` and `points` are what it cost at GitHub.
    `index_as_of` is the age of the oldest index that answered a part of it, None where GitHub answered all;
    `is_fresh` asks GitHub whatever the index has.
    """

    id: SelectionId
    name: str  # of the spec
    namespace: str  # of the spec, or of the campaign as it is now
    campaign_id: CampaignId | None
    run_id: RunId | None
    schedule_id: UUID | None
    previous_id: SelectionId | None  # the selection that this one repeats
    document: str  # the YAML spec that it was made from
    is_fresh: bool
    state: SelectionState
    phase: SelectionPhase
    found: int
    expected: int | None
    to_examine: int
    examined: int
    requests: int
    points: int
    index_as_of: datetime | None
    included: int
    excluded: int
    error: str | None
    created_by: str
    created_at: datetime
    finished_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class SelectedRepository:
    """One repository and branch of a selection, and why it is in or out.

    `entry` is the index of the spec's `on` entry that decided, `entries` are all that found it, `condition` is the
    index of the spec's `where` condition that left it out. `head_oid` is the commit at `branch`, the base branch, when
    it was selected.
    """

    repository: Repository
    branch: str
    head_oid: str | None
    included: bool
    entry: int
    reason: str
    entries: tuple[int, ...] = ()
    condition: int | None = None

    @property
    def revision(self) -> str:
        """What its branch is called in expressions of git: HEAD for the default branch, else refs/heads/…"""
        return "HEAD" if self.branch == self.repository.default_branch else f"refs/heads/{self.branch}"
