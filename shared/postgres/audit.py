"""The audit of operators' acts. Rows are added, in the transaction of the act, and never changed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import asyncpg

from ..domain.audit import AuditAction, AuditEntry, AuditId
from ..domain.ids import new_id
from ..domain.operation import Service
from .pool import Connection


def _from_row(row: asyncpg.Record) -> AuditEntry:
    return AuditEntry(
        id=AuditId(row["id"]),
        at=row["at"],
        actor=row["actor"],
        action=AuditAction(row["action"]),
        service=Service(row["service"]) if row["service"] else None,
        details=row["details"],
    )


async def record_act(
    conn: Connection, *, actor: str, action: AuditAction, service: Service | None, details: Mapping[str, Any]
) -> AuditEntry:
    """Records what `actor` did."""
    row = await conn.fetchrow(
        """INSERT INTO audit (id, actor, action, service, details) VALUES ($1, $2, $3, $4, $5)
           RETURNING id, at, actor, action, service, details""",
        new_id(),
        actor,
        action.value,
        service.value if service else None,
        dict(details),
    )
    assert row  # noqa: S101 - an INSERT without a condition gives its row
    return _from_row(row)


async def page_acts(
    conn: Connection, *, service: Service | None = None, before: AuditId | None = None, limit: int = 50
) -> list[AuditEntry]:
    """What was done, newest first."""
    rows = await conn.fetch(
        """SELECT id, at, actor, action, service, details FROM audit
           WHERE ($1::text IS NULL OR service = $1) AND ($2::uuid IS NULL OR id < $2)
           ORDER BY id DESC LIMIT $3""",
        service.value if service else None,
        before,
        limit,
    )
    return [_from_row(row) for row in rows]
