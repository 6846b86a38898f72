"""A run: one pass of a spec version over one selection."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from ..errors import InvalidTransition
from .ids import CampaignId, RunId, SelectionId
from .waiting import Wait


class RunState(StrEnum):
    """`pending → selecting → planning → running → completed | failed | cancelled`."""

    PENDING = "pending"
    SELECTING = "selecting"
    PLANNING = "planning"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"


RUN_TRANSITIONS: dict[RunState, frozenset[RunState]] = {
    RunState.PENDING: frozenset({RunState.SELECTING, RunState.FAILED, RunState.CANCELLED}),
    RunState.SELECTING: frozenset({RunState.PLANNING, RunState.FAILED, RunState.CANCELLED}),
    RunState.PLANNING: frozenset({RunState.RUNNING, RunState.COMPLETED, RunState.FAILED, RunState.CANCELLED}),
    RunState.RUNNING: frozenset({RunState.COMPLETED, RunState.FAILED, RunState.CANCELLED}),
    RunState.COMPLETED: frozenset(),
    RunState.FAILED: frozenset(),
    RunState.CANCELLED: frozenset(),
}


def states_before(state: RunState) -> tuple[RunState, ...]:
    """The states from which a run may become `state`, for `WHERE state = ANY($from)`."""
    return tuple(before for before, after in RUN_TRANSITIONS.items() if state in after)


def is_finished(state: RunState) -> bool:
    """Whether nothing more happens to a run in this state."""
    return not RUN_TRANSITIONS[state]


def check_transition(current: RunState, wanted: RunState) -> None:
    """Raises `InvalidTransition` where the table does not allow the step."""
    if wanted not in RUN_TRANSITIONS[current]:
        raise InvalidTransition("run", current, wanted)


class Moved(StrEnum):
    """What is done where a base branch moved since the preview that a run publishes: block, or prepare anew."""

    BLOCK = "block"
    PREPARE = "prepare"


@dataclass(frozen=True, kw_only=True)
class Run:
    """A run as it is now. A `dry_run` prepares every target and publishes nothing.

    `error` says why a run failed as a whole; targets carry errors of their own. `waits_for` is what its rollout waits
    for, `release_at` when it looks again, where time alone decides. More than `most_failures` failed targets end it.
    A run that `is_scheduled` leaves alone what the same spec version has published already. One with a
    `preview_run_id` publishes what that run has prepared; `moved` says what is done where that does not fit any more.
    """

    id: RunId
    campaign_id: CampaignId
    campaign_name: str
    spec_version: int
    selection_id: SelectionId | None
    dry_run: bool
    state: RunState
    error: str | None
    created_by: str
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    paused_at: datetime | None = None
    paused_by: str | None = None
    waits_for: Wait | None = None
    release_at: datetime | None = None
    most_failures: int | None = None
    is_scheduled: bool = False
    preview_run_id: RunId | None = None
    moved: Moved = Moved.BLOCK
