"""Releasing prepared targets to be published, by their run's rollout.

A run without a rollout publishes each target as soon as it is prepared (`preparing.record`). With one, targets wait as
`prepared` until they are released: a look every second at each run that has some. So a release depends on no event
that could be missed; and a run that waits for a time is not looked at before it. The mark and the command of a release
are one transaction, and each release of a target has a command of its own: whoever dies leaves none doubled or lost.
"""

from __future__ import annotations

from datetime import datetime

import structlog

from shared.clock import utcnow
from shared.domain import commands
from shared.domain.event import wave_event
from shared.domain.ids import RunId
from shared.domain.release import MOST_AT_ONCE, Release, allow, release, wave_begun
from shared.domain.run import Run
from shared.domain.windows import window_at
from shared.outbox import Work
from shared.postgres import releases

from ..context import CampaignsContext
from ..loading import load_spec

CHECK_SECONDS = 1.0

_log = structlog.get_logger(__name__)


async def release_waiting(ctx: CampaignsContext) -> None:
    """Releases what may be published now, of every run that has targets waiting."""
    now = utcnow()
    async with ctx.pool.acquire() as conn:
        waiting = await releases.runs_to_release(conn, now=now)
    for run_id in waiting:
        await release_run(ctx, run_id, now=now)


async def release_run(ctx: CampaignsContext, run_id: RunId, *, now: datetime) -> int:
    """Releases what the rollout of a run allows at `now`; gives how many targets."""
    async with ctx.outbox.transaction() as work:
        run = await releases.lock_for_release(work.conn, run_id)
        if run.paused_at:
            return 0
        released = await _decide(work, run, now)
        targets = await releases.release_targets(work.conn, released.chosen, now=now)
        await work.accept(
            *(commands.publish_target(each, actor=run.created_by, again=now.isoformat()) for each in targets)
        )
        await releases.record_wait(work.conn, run_id, waits_for=released.waits_for, release_at=released.next_at)
    if targets:
        _log.info("targets_released", run_id=str(run_id), count=len(targets))
    return len(targets)


async def _decide(work: Work, run: Run, now: datetime) -> Release:
    rollout = (await load_spec(work.conn, run)).rollout
    window = window_at(rollout.windows, now)
    facts = await releases.get_facts(
        work.conn,
        run_id=run.id,
        campaign_id=run.campaign_id,
        waves=rollout.waves,
        rate=window.rate if window else None,
        now=now,
    )
    allowance = allow(rollout, facts, now)
    may_choose = allowance.begin > 0 and (allowance.open > 0 or facts.others_open)
    candidates = (
        await releases.list_candidates(
            work.conn,
            run.id,
            only_updates=allowance.open == 0,
            most_per_repository=rollout.max_open_per_repo,
            limit=min(allowance.begin, MOST_AT_ONCE),
        )
        if may_choose
        else []
    )
    waiting = await releases.count_waiting(work.conn, run.id)
    released = release(rollout, facts, candidates, waiting=waiting, now=now)
    if wave := wave_begun(rollout, facts, len(released.chosen)):
        await work.emit(wave_event(run.id, wave, of=len(rollout.waves), now=now))
    return released
