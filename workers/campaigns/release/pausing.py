"""Targets of a run that is paused: whatever comes to one of them finds it paused, or makes it so."""

from __future__ import annotations

from shared.domain.ids import RunId
from shared.domain.run import Run
from shared.outbox import Work
from shared.postgres import pausing

from ..context import CampaignsContext
from ..moves import tell


async def pause_if_paused(work: Work, run_id: RunId) -> bool:
    """Pauses what has work left where the run is paused; whether it is."""
    if not await pausing.is_paused(work.conn, run_id):
        return False
    for move in await pausing.pause_targets(work.conn, run_id):
        await tell(work, move, reason=None)
    return True


async def pause_again(ctx: CampaignsContext, run: Run) -> bool:
    """Pauses what began anew in a run although it is paused; False where it is not, or goes on by now."""
    if run.paused_at is None:
        return False
    async with ctx.outbox.transaction() as work:
        return await pause_if_paused(work, run.id)
