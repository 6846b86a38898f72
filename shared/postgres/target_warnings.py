"""Warnings of a target: what went otherwise than the spec says, and is no failure."""

from __future__ import annotations

from ..domain.ids import TargetId
from .pool import Connection


async def add_warning(conn: Connection, target_id: TargetId, warning: str) -> None:
    """Adds a warning that the target does not have yet."""
    await conn.execute(
        """UPDATE targets SET warnings = warnings || to_jsonb($2::text), updated_at = now()
           WHERE id = $1 AND NOT warnings @> to_jsonb($2::text)""",
        target_id,
        warning,
    )
