"""A run is completed when none of its targets has work left; it fails when more failed than its `onError` allows."""

from __future__ import annotations

from shared.clock import utcnow
from shared.domain.event import run_event
from shared.domain.ids import RunId
from shared.domain.run import RunState
from shared.outbox import Work
from shared.postgres import settling, targets

from .context import CampaignsContext
from .moves import tell


async def finish_run_if_settled(ctx: CampaignsContext, run_id: RunId) -> None:
    """Ends the run if all of its targets are settled, or too many failed. Called after the commit that settled one.

    Two workers that settle two targets at once both come here after their commits, so that the later one sees both; of
    those that see that the run ends, one ends it and tells.
    """
    async with ctx.outbox.transaction() as work:
        if not await _fail_if_too_many(work, run_id) and await settling.complete_if_settled(work.conn, run_id):
            await work.emit(run_event(run_id, RunState.COMPLETED, now=utcnow()))


async def finish_settled_runs(ctx: CampaignsContext) -> None:
    """Ends the runs whose last worker died between settling a target and looking at the run."""
    async with ctx.pool.acquire() as conn:
        ended = [*await settling.runs_with_too_many(conn), *await settling.settled_runs(conn)]
    for run_id in ended:
        await finish_run_if_settled(ctx, run_id)


async def _fail_if_too_many(work: Work, run_id: RunId) -> bool:
    error = await settling.fail_if_too_many(work.conn, run_id)
    if error is None:
        return False
    for move in await targets.cancel_unsettled(work.conn, run_id, reason=error):
        await tell(work, move, reason=error)
    await work.emit(run_event(run_id, RunState.FAILED, now=utcnow(), error=error))
    return True
