"""Commits on a branch of ours that Octobatch did not make: told once, and not touched."""

from __future__ import annotations

from shared.clock import utcnow
from shared.domain.event import target_event
from shared.domain.target import Target
from shared.outbox import Work
from shared.postgres import targets

_PUSHED = "has pushed commits to the branch"


async def note_foreign_push(work: Work, target: Target, who: str) -> None:
    """Says on the target, and by an event, who has pushed; once until something else is said of it."""
    if target.reason and _PUSHED in target.reason:
        return
    reason = f"{who} {_PUSHED}; Octobatch will not change it any more"
    await targets.note(work.conn, target.id, reason=reason)
    await work.emit(target_event(target, before=target.state, now=utcnow(), reason=reason))
