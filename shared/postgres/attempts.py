"""What the events of a target say of its earlier attempts."""

from __future__ import annotations

from datetime import datetime

from ..domain.ids import TargetId
from ..domain.target import TargetState
from .pool import Connection


async def state_before_attempt(conn: Connection, target_id: TargetId) -> TargetState | None:
    """The state from which a target began its present attempt; None where that is its first."""
    state = await conn.fetchval(
        "SELECT payload->>'from' FROM events WHERE target_id = $1 AND type = 'target.pending' ORDER BY id DESC LIMIT 1",
        target_id,
    )
    return TargetState(state) if state else None


async def count_begun(conn: Connection, target_id: TargetId, *, because: str, since: datetime) -> int:
    """How often a target began again since then for a reason that begins with `because`."""
    return await conn.fetchval(
        """SELECT count(*) FROM events
           WHERE target_id = $1 AND type = 'target.pending' AND occurred_at > $3
             AND starts_with(payload->>'reason', $2)""",
        target_id,
        because,
        since,
    )
