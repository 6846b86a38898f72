"""Targets of a run that is paused: whatever comes to one of them finds it paused, or makes it so."""

from __future__ import annotations

from shared.domain.ids import RunId
from shared.domain.target import Target
from shared.outbox import Work
from shared.postgres import pausing

from .context import CampaignsContext
from .moves import tell


async def pause_if_paused(work: Work, run_id: RunId, *, target: Target | None = None) -> bool:
    """Pauses what has work left, the target or all of them, where the run is paused; whether it is."""
    if not await pausing.is_paused(work.conn, run_id):
        return False
    for move in await pausing.pause_targets(work.conn, run_id, target_id=target.id if target else None):
        await tell(work, move, reason=None)
    return True


async def pause_target(ctx: CampaignsContext, target: Target) -> bool:
    """Pauses a target that came to be at work although its run is paused; False where the run goes on by now."""
    async with ctx.outbox.transaction() as work:
        return await pause_if_paused(work, target.run_id, target=target)
