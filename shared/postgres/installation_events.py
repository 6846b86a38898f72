"""What happened to installations: rows are added in the transaction of the change that they tell of."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

import asyncpg

from ..domain.drift import Change, InstallationEvent, InstallationEventType
from ..domain.ids import InstallationId, new_id
from .pool import Connection


async def insert_changes(conn: Connection, changes: Sequence[Change]) -> None:
    """Records the changes, in their order."""
    await conn.execute(
        """INSERT INTO installation_events (id, installation_id, type, details)
           SELECT * FROM unnest($1::uuid[], $2::bigint[], $3::text[], $4::jsonb[])""",
        [new_id() for _ in changes],
        [change.installation_id for change in changes],
        [change.type.value for change in changes],
        [dict(change.details) for change in changes],
    )


async def page_events(
    conn: Connection, installation_id: InstallationId, *, before: UUID | None = None, limit: int = 50
) -> list[InstallationEvent]:
    """What happened to one installation, newest first."""
    rows = await conn.fetch(
        """SELECT id, installation_id, type, details, occurred_at FROM installation_events
           WHERE installation_id = $1 AND ($2::uuid IS NULL OR id < $2) ORDER BY id DESC LIMIT $3""",
        installation_id,
        before,
        limit,
    )
    return [_from_row(row) for row in rows]


def _from_row(row: asyncpg.Record) -> InstallationEvent:
    return InstallationEvent(
        id=row["id"],
        installation_id=InstallationId(row["installation_id"]),
        type=InstallationEventType(row["type"]),
        details=row["details"],
        occurred_at=row["occurred_at"],
    )
