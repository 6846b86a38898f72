"""How a run stands: its targets counted, what it waits for, and its progress by wave and owner. Two pages show it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from shared.clock import utcnow
from shared.domain.ids import RunId
from shared.domain.run import Run, is_finished
from shared.domain.selection import Selection
from shared.domain.target import FOLLOWED, UNSETTLED, TargetState
from shared.postgres import campaigns, runs, selections, target_warnings
from shared.postgres.overviews import NEEDS_SOMEBODY
from shared.postgres.target_counts import Counts, count_by_state
from shared.postgres.target_warnings import WarningCount

from ..resources import Resources
from ..runs.pace import get_standing, look_ahead
from ..runs.progress import RunProgress, read_progress
from .kit import SEGMENTS

STATES = [*SEGMENTS, *(state for state in TargetState if state not in SEGMENTS)]
"""In the order in which they are shown."""

_WITHOUT_CHANGE = frozenset({TargetState.UNCHANGED, TargetState.CANCELLED})


@dataclass(frozen=True, kw_only=True)
class RunStanding:
    """What pages show of a run beside its targets."""

    run: Run
    namespace: str
    selection: Selection | None
    counts: Counts
    warnings: list[WarningCount]
    progress: RunProgress
    waits_for: tuple[str, ...]
    expected_at: datetime | None

    @property
    def is_finished(self) -> bool:
        """Whether the run is over; its pull requests may still be merged."""
        return is_finished(self.run.state)

    @property
    def total(self) -> int:
        """Its targets."""
        return sum(self.counts.values())

    @property
    def with_change(self) -> int:
        """Targets that have a change, or may turn out to have one."""
        return sum(count for state, count in self.counts.items() if state not in _WITHOUT_CHANGE)

    @property
    def followed(self) -> int:
        """Targets whose pull request is open."""
        return sum(self.counts.get(state, 0) for state in FOLLOWED)

    @property
    def to_come(self) -> int:
        """Targets that have work left, before their pull request is open."""
        settled = frozenset({TargetState.PREPARED}) if self.run.dry_run else frozenset[TargetState]()
        return sum(self.counts.get(state, 0) for state in UNSETTLED - settled)

    @property
    def needs_somebody(self) -> dict[TargetState, int]:
        """Targets that stay as they are until somebody acts, by state."""
        return {state: self.counts[state] for state in NEEDS_SOMEBODY if self.counts.get(state)}

    @property
    def burndown(self) -> list[list[float]]:
        """Seconds since 1970, then open and merged pull requests: one list each, as a chart takes them."""
        steps = self.progress.burndown
        return [
            [round(step.at.timestamp(), 1) for step in steps],
            [step.opened - step.merged - step.closed for step in steps],
            [step.merged for step in steps],
        ]


async def read_standing(resources: Resources, run_id: RunId) -> RunStanding:
    """Reads it, at one moment; raises `NotFound`."""
    async with resources.pool.acquire() as conn, conn.transaction(isolation="repeatable_read", readonly=True):
        run = await runs.get_run(conn, run_id)
        campaign = await campaigns.get_campaign(conn, run.campaign_name)
        counts = await count_by_state(conn, run.id)
        selection = await selections.get_progress(conn, run.selection_id) if run.selection_id else None
        warnings = await target_warnings.count_warnings(conn, run.id)
        progress = await read_progress(conn, run)
        standing = await get_standing(conn, run, now=utcnow())
    outlook = await look_ahead(resources, standing)
    return RunStanding(
        run=run,
        namespace=campaign.namespace,
        selection=selection,
        counts=counts,
        warnings=warnings,
        progress=progress,
        waits_for=tuple(wait.in_words(utcnow()) for wait in outlook.waits_for),
        expected_at=outlook.expected_at,
    )
