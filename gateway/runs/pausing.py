"""Pausing and resuming runs: each is one transaction."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from shared.clock import utcnow
from shared.domain import commands
from shared.domain.event import pause_event, target_event
from shared.domain.ids import RunId
from shared.domain.operation import NewOperation
from shared.domain.run import Run, is_finished
from shared.domain.spec import parse_spec
from shared.domain.target import TargetState
from shared.errors import Conflict
from shared.outbox import Outbox, Work
from shared.postgres import campaigns, pausing, runs
from shared.postgres.targets import Move


async def pause_run(outbox: Outbox, run_id: UUID, *, actor: str) -> Run:
    """Has a run begin and publish nothing more until it is resumed; what is at work on GitHub at this moment ends.

    Pausing it again changes nothing. Raises `NotFound`, and `Conflict` for one that is finished.
    """
    async with outbox.transaction() as work:
        run = await runs.get_run(work.conn, RunId(run_id))
        if await pausing.pause_run(work.conn, run.id, paused_by=actor):
            now = utcnow()
            await _tell(work, await pausing.pause_targets(work.conn, run.id), reason=f"paused by {actor}", now=now)
            await work.emit(pause_event(run.id, run.state, is_paused=True, by=actor, now=now))
        return await _unfinished(work, run.id, "paused")


async def resume_run(outbox: Outbox, run_id: UUID, *, actor: str) -> Run:
    """Goes on where a run was paused. Resuming it again changes nothing; raises as `pause_run` does."""
    async with outbox.transaction() as work:
        run = await runs.get_run(work.conn, RunId(run_id))
        if await pausing.resume_run(work.conn, run.id):
            now = utcnow()
            resumed = await pausing.resume_targets(work.conn, run.id)
            await _tell(work, resumed, reason=None, now=now)
            await work.accept(*await _commands(work, run, resumed, actor=actor, again=now.isoformat()))
            await work.emit(pause_event(run.id, run.state, is_paused=False, by=actor, now=now))
        return await _unfinished(work, run.id, "resumed")


async def _commands(work: Work, run: Run, resumed: list[Move], *, actor: str, again: str) -> list[NewOperation]:
    """What goes on at once: what is to be prepared, and what has a pull request; the rest waits for its release."""
    targets = [move.target for move in resumed]
    version = await campaigns.get_spec_version(work.conn, run.campaign_id, run.spec_version)
    pending = [target for target in targets if target.state is TargetState.PENDING]
    begun = [target for target in targets if target.state is TargetState.PREPARED and target.pull_request]
    one_by_one = parse_spec(version.document).runs_code
    return [
        *commands.prepare_all(pending, one_by_one=one_by_one, actor=actor, again=again),
        *(commands.publish_target(target, actor=actor, again=again) for target in begun),
    ]


async def _unfinished(work: Work, run_id: RunId, done: str) -> Run:
    run = await runs.get_run(work.conn, run_id)
    if is_finished(run.state):
        raise Conflict(f"the run is {run.state}, and cannot be {done} any more")
    return run


async def _tell(work: Work, moves: list[Move], *, reason: str | None, now: datetime) -> None:
    await work.emit(*(target_event(move.target, before=move.before, now=now, reason=reason) for move in moves))
