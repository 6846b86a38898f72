"""A run is completed when none of its targets has work left."""

from __future__ import annotations

from shared.clock import utcnow
from shared.domain.event import run_event
from shared.domain.ids import RunId
from shared.domain.run import RunState
from shared.postgres import settling

from .context import CampaignsContext


async def finish_run_if_settled(ctx: CampaignsContext, run_id: RunId) -> None:
    """Completes the run if all of its targets are settled. Called after the commit that settled one.

    Two workers that settle the last two targets at once both come here after their commits, so that the later one
    sees both; of those that see it, one completes the run and tells.
    """
    async with ctx.outbox.transaction() as work:
        if await settling.complete_if_settled(work.conn, run_id):
            await work.emit(run_event(run_id, RunState.COMPLETED, now=utcnow()))


async def finish_settled_runs(ctx: CampaignsContext) -> None:
    """Completes the runs whose last worker died between settling a target and looking at the run."""
    async with ctx.pool.acquire() as conn:
        settled = await settling.settled_runs(conn)
    for run_id in settled:
        await finish_run_if_settled(ctx, run_id)
