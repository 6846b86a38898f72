"""Schedules of selections in Postgres."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg

from ..domain.ids import new_id
from ..domain.selection_schedule import SelectionSchedule
from ..errors import AlreadyExists, NotFound
from .pool import Connection

_COLUMNS = (
    "id, name, namespace, document, cron, is_fresh, next_at, paused_at, created_by, created_at,"
    " (SELECT made.id FROM selections made WHERE made.schedule_id = s.id ORDER BY made.id DESC LIMIT 1)"
    " AS last_selection_id"
)


async def insert_schedule(
    conn: Connection,
    *,
    name: str,
    namespace: str,
    document: str,
    cron: str,
    is_fresh: bool,
    next_at: datetime,
    created_by: str,
) -> SelectionSchedule:
    """A new schedule; raises `AlreadyExists`."""
    inserted = await conn.fetchval(
        """
        INSERT INTO selection_schedules (id, name, document, cron, is_fresh, next_at, created_by, namespace)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (name) DO NOTHING RETURNING id
        """,
        new_id(),
        name,
        document,
        cron,
        is_fresh,
        next_at,
        created_by,
        namespace,
    )
    if inserted is None:
        raise AlreadyExists("selection schedule", name)
    return await get_schedule(conn, name)


async def get_schedule(conn: Connection, name: str) -> SelectionSchedule:
    """The schedule of that name; raises `NotFound`."""
    row = await conn.fetchrow(f"SELECT {_COLUMNS} FROM selection_schedules s WHERE name = $1", name)  # noqa: S608
    if row is None:
        raise NotFound("selection schedule", name)
    return _from_row(row)


async def page_schedules(
    conn: Connection, *, namespaces: Sequence[str] | None, after: str = "", limit: int = 50
) -> list[SelectionSchedule]:
    """Schedules of the namespaces (None = of all) in the order of their names, from the one after `after`."""
    rows = await conn.fetch(
        f"SELECT {_COLUMNS} FROM selection_schedules s WHERE name > $1"  # noqa: S608
        " AND ($3::text[] IS NULL OR namespace = ANY($3)) ORDER BY name LIMIT $2",
        after,
        limit,
        namespaces,
    )
    return [_from_row(row) for row in rows]


async def pause_schedule(conn: Connection, name: str) -> SelectionSchedule:
    """Has nothing made until it is resumed; raises `NotFound`."""
    await conn.execute("UPDATE selection_schedules SET paused_at = coalesce(paused_at, now()) WHERE name = $1", name)
    return await get_schedule(conn, name)


async def resume_schedule(conn: Connection, name: str, *, next_at: datetime) -> SelectionSchedule:
    """Goes on at `next_at`; changes nothing where it was not paused. Raises `NotFound`."""
    await conn.execute(
        "UPDATE selection_schedules SET paused_at = NULL, next_at = $2 WHERE name = $1 AND paused_at IS NOT NULL",
        name,
        next_at,
    )
    return await get_schedule(conn, name)


async def delete_schedule(conn: Connection, name: str) -> None:
    """Removes a schedule; what it made stays. Raises `NotFound`."""
    if await conn.fetchval("DELETE FROM selection_schedules WHERE name = $1 RETURNING id", name) is None:
        raise NotFound("selection schedule", name)


async def claim_due(conn: Connection, *, now: datetime, limit: int = 20) -> list[SelectionSchedule]:
    """Schedules whose time has come, the longest due first, locked until the transaction ends."""
    rows = await conn.fetch(
        f"""
        SELECT {_COLUMNS} FROM selection_schedules s WHERE next_at <= $1 AND paused_at IS NULL
        ORDER BY next_at LIMIT $2 FOR UPDATE OF s SKIP LOCKED
        """,  # noqa: S608
        now,
        limit,
    )
    return [_from_row(row) for row in rows]


async def move_on(conn: Connection, schedule_id: UUID, *, next_at: datetime) -> None:
    """Has the schedule wait until `next_at`."""
    await conn.execute("UPDATE selection_schedules SET next_at = $2 WHERE id = $1", schedule_id, next_at)


def _from_row(row: asyncpg.Record) -> SelectionSchedule:
    values: dict[str, Any] = dict(row)
    return SelectionSchedule(**values)
