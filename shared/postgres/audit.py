"""The audit. Rows are added and never changed: of an act of operators in its transaction, of a write once it ended."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import asyncpg

from ..domain.audit import AuditAction, AuditEntry, AuditId, AuditPart, Write
from ..domain.ids import new_id
from ..domain.operation import Service
from .pool import Connection

_COLUMNS = "id, at, actor, action, service, details, address, method, route, resource, status, request_id"


def _from_row(row: asyncpg.Record) -> AuditEntry:
    values: dict[str, Any] = {
        **row,
        "id": AuditId(row["id"]),
        "action": AuditAction(row["action"]),
        "service": Service(row["service"]) if row["service"] else None,
    }
    return AuditEntry(**values)


async def record_act(
    conn: Connection, *, actor: str, action: AuditAction, service: Service | None, details: Mapping[str, Any]
) -> AuditEntry:
    """Records what `actor` did."""
    row = await conn.fetchrow(
        "INSERT INTO audit (id, actor, action, service, details)"  # noqa: S608
        f" VALUES ($1, $2, $3, $4, $5) RETURNING {_COLUMNS}",
        new_id(),
        actor,
        action.value,
        service.value if service else None,
        dict(details),
    )
    assert row  # noqa: S101 - an INSERT without a condition gives its row
    return _from_row(row)


async def record_write(conn: Connection, write: Write) -> None:
    """Records that somebody asked for a write, and what they were answered."""
    await conn.execute(
        """INSERT INTO audit (id, actor, action, details, address, method, route, resource, status, request_id)
           VALUES ($1, $2, $3, '{}', $4, $5, $6, $7, $8, $9)""",
        new_id(),
        write.actor,
        AuditAction.WRITE.value,
        write.address,
        write.method,
        write.route,
        write.resource,
        write.status,
        write.request_id,
    )


async def page_acts(
    conn: Connection,
    *,
    part: AuditPart | None = None,
    service: Service | None = None,
    actor: str | None = None,
    resource: str | None = None,
    address: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    before: AuditId | None = None,
    limit: int = 50,
) -> list[AuditEntry]:
    """Who wrote what and did what, newest first; filters that are not given let all pass.

    A `resource` stands for what is below it too: `campaigns` for each campaign. It is from `since` on, and before
    `until`.
    """
    rows = await conn.fetch(
        f"""
        SELECT {_COLUMNS} FROM audit
        WHERE ($1::bool IS NULL OR (method IS NULL) = $1) AND ($2::text IS NULL OR service = $2)
          AND ($3::text IS NULL OR actor = $3) AND ($4::text IS NULL OR resource = $4 OR resource LIKE $5)
          AND ($6::text IS NULL OR address = $6)
          AND ($7::timestamptz IS NULL OR at >= $7) AND ($8::timestamptz IS NULL OR at < $8)
          AND ($9::uuid IS NULL OR id < $9)
        ORDER BY id DESC LIMIT $10
        """,  # noqa: S608
        part is AuditPart.ACTS if part else None,
        service.value if service else None,
        actor,
        resource,
        _below(resource) if resource else None,
        address,
        since,
        until,
        before,
        limit,
    )
    return [_from_row(row) for row in rows]


def _below(resource: str) -> str:
    literally = resource.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"{literally}/%"
