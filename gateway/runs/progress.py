"""How far a run is, looked at closer: its pull requests over time, its waves, and its owners."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from fastapi import APIRouter
from pydantic import Field

from shared.clock import utcnow
from shared.domain.codeowners import OwnerKind, OwnersFile
from shared.domain.ids import RunId
from shared.domain.release import wave_size
from shared.domain.run import Run
from shared.domain.target import TargetState
from shared.postgres import progress, releases, runs, target_counts
from shared.postgres.pool import Connection

from ..auth import SignedIn
from ..resources import Opened
from ..schemas import Shown
from .pace import rollout_of

router = APIRouter(tags=["runs"])

MOST_OWNERS = 50
"""Owners that are shown, those of most targets first."""


class ShownBurndownStep(Shown):
    """How far the pull requests of a run were at a moment."""

    at: datetime
    opened: int = Field(description="pull requests that had been opened by then")
    merged: int = Field(description="of these, merged")
    closed: int = Field(description="of these, closed without a merge")


class ShownGate(Shown):
    """What a wave must reach before the next one begins, and where it is."""

    name: str = Field(description="merged or checksPassed")
    wanted: float
    now: float


class ShownWave(Shown):
    """A wave of a rollout: how large it is, how many of it began, and how these are."""

    number: int
    percent: float = Field(description="so much of all targets is published up to here")
    size: int = Field(description="targets of this wave alone; it may grow while changes are being prepared")
    counts: dict[TargetState, int] = Field(description="its targets that began, by state", examples=[{"merged": 2}])
    gate: list[ShownGate]


class ShownOwnerProgress(Shown):
    """The targets of repositories that an owner owns all of, but for what has another owner."""

    owner: str = Field(description="login, organisation/team, or address; empty for those that nobody owns")
    kind: OwnerKind | None
    counts: dict[TargetState, int] = Field(description="targets by state", examples=[{"merged": 2, "open": 1}])


class RunProgress(Shown):
    """How far a run is, looked at closer."""

    burndown: list[ShownBurndownStep] = Field(
        description="its pull requests over time; the last step is now while some are open"
    )
    waves: list[ShownWave] = Field(description="empty where its rollout has none")
    owners: list[ShownOwnerProgress] | None = Field(
        description="by CODEOWNERS, those of most targets first; null until the owners of its selection are resolved"
    )


@router.get("/runs/{run_id}/progress")
async def get_progress(run_id: UUID, resources: Opened, _: SignedIn) -> RunProgress:
    """A run's pull requests over time, and its targets by wave and by owner."""
    async with resources.pool.acquire() as conn, conn.transaction(isolation="repeatable_read", readonly=True):
        return await read_progress(conn, await runs.get_run(conn, RunId(run_id)))


async def read_progress(conn: Connection, run: Run) -> RunProgress:
    """What the route answers; for pages too."""
    return RunProgress(
        burndown=[ShownBurndownStep.model_validate(each) for each in await _burndown(conn, run)],
        waves=await _waves(conn, run),
        owners=await _owners(conn, run),
    )


async def _burndown(conn: Connection, run: Run) -> list[progress.BurndownStep]:
    """While pull requests are open it goes on until now."""
    steps = await progress.list_burndown(conn, run.id)
    if steps and steps[-1].opened > steps[-1].merged + steps[-1].closed:
        steps.append(replace(steps[-1], at=max(utcnow(), steps[-1].at)))
    return steps


async def _waves(conn: Connection, run: Run) -> list[ShownWave]:
    waves = (await rollout_of(conn, run)).waves
    if not waves:
        return []
    facts = await releases.get_facts(
        conn, run_id=run.id, campaign_id=run.campaign_id, waves=waves, rate=None, now=utcnow()
    )
    ends = [wave_size(wave, facts.with_change) for wave in waves]
    counts = await releases.count_by_wave(conn, run.id, ends)
    shown: list[ShownWave] = []
    for index, wave in enumerate(waves):
        size = ends[index] or 1
        reached = {"merged": facts.merged[index] / size, "checksPassed": facts.passed[index] / size}
        wanted = {"merged": wave.gate.merged, "checksPassed": wave.gate.checks_passed} if wave.gate else {}
        shown.append(
            ShownWave(
                number=index + 1,
                percent=wave.percent,
                size=ends[index] - (ends[index - 1] if index else 0),
                counts=counts[index],
                gate=[
                    ShownGate(name=name, wanted=part, now=round(reached[name], 4))
                    for name, part in wanted.items()
                    if part is not None
                ],
            )
        )
    return shown


async def _owners(conn: Connection, run: Run) -> list[ShownOwnerProgress] | None:
    files = await progress.count_by_file(conn, run.id, run.selection_id) if run.selection_id else None
    if files is None:
        return None
    found: defaultdict[tuple[str, OwnerKind | None], target_counts.Counts] = defaultdict(dict)
    for file in files:
        owners = [(owner.name, owner.kind) for owner in OwnersFile(file.document or "").default_owners]
        for owner in owners or [("", None)]:
            for state, count in file.counts.items():
                found[owner][state] = found[owner].get(state, 0) + count
    shown = [ShownOwnerProgress(owner=name, kind=kind, counts=counts) for (name, kind), counts in found.items()]
    shown.sort(key=lambda each: (not each.owner, -sum(each.counts.values()), each.owner))
    return shown[:MOST_OWNERS]
