"""Moving a target and telling of it: one function, so that no transition is without its event."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from shared.clock import utcnow
from shared.domain import commands
from shared.domain.event import Event, target_event
from shared.domain.ids import TargetId
from shared.domain.target import BY_RESUMING_ALONE, DiffStat, PullRequestRef, TargetState
from shared.outbox import Work
from shared.postgres import targets
from shared.postgres.targets import Move


async def move_target(
    work: Work,
    target_id: TargetId,
    *,
    to: TargetState,
    reason: str | None = None,
    base_oid: str | None = None,
    head_oid: str | None = None,
    diff_stat: DiffStat | None = None,
    pull_request: PullRequestRef | None = None,
    pull_request_updated_at: datetime | None = None,
    is_released: bool = False,
) -> Move | None:
    """Moves a target and emits its event in the same transaction; None where the target may not go there now.

    A paused one is not put back by it: that is for `resume`.
    """
    move = await targets.move_target(
        work.conn,
        target_id,
        to=to,
        reason=reason,
        base_oid=base_oid,
        head_oid=head_oid,
        diff_stat=diff_stat,
        pull_request=pull_request,
        pull_request_updated_at=pull_request_updated_at,
        is_released=is_released,
        never_from=(TargetState.PAUSED,) if to in BY_RESUMING_ALONE else (),
    )
    if move:
        await tell(work, move, reason=reason)
    return move


async def move_all(work: Work, target_ids: Sequence[TargetId], *, to: TargetState) -> list[Move]:
    """Moves those of many targets that may go there now, each with its event."""
    moves = await targets.move_targets(work.conn, target_ids, to=to)
    await work.emit(*(_event(move, reason=None) for move in moves))
    return moves


async def begin_again(work: Work, target_id: TargetId, *, reason: str, actor: str) -> Move | None:
    """Has the steps run once more for a target, with its event and its command; None where it may not begin now."""
    move = await targets.begin_again(work.conn, target_id, reason=reason)
    if move:
        await tell(work, move, reason=reason)
        await work.accept(commands.prepare_target(move.target, actor=actor))
    return move


async def tell(work: Work, move: Move, *, reason: str | None) -> None:
    """Emits the event of a move that was made."""
    await work.emit(_event(move, reason=reason))


def _event(move: Move, *, reason: str | None) -> Event:
    return target_event(move.target, before=move.before, now=utcnow(), reason=reason)
