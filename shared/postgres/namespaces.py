"""Which namespace a thing belongs to. Each function gives None where there is no such thing."""

from __future__ import annotations

from uuid import UUID

from .pool import Connection


async def of_campaign(conn: Connection, name: str) -> str | None:
    """The namespace of the campaign of that name."""
    return await conn.fetchval("SELECT namespace FROM campaigns WHERE name = $1", name)


async def of_run(conn: Connection, run_id: UUID) -> str | None:
    """That of a run's campaign."""
    return await conn.fetchval(
        "SELECT c.namespace FROM runs r JOIN campaigns c ON c.id = r.campaign_id WHERE r.id = $1", run_id
    )


async def of_target(conn: Connection, target_id: UUID) -> str | None:
    """That of a target's campaign."""
    return await conn.fetchval(
        "SELECT c.namespace FROM targets t JOIN campaigns c ON c.id = t.campaign_id WHERE t.id = $1", target_id
    )


async def of_selection(conn: Connection, selection_id: UUID) -> str | None:
    """That of a selection's campaign as it is now or, where it was made for none, that of its spec."""
    return await conn.fetchval(
        "SELECT coalesce(c.namespace, s.namespace) FROM selections s LEFT JOIN campaigns c ON c.id = s.campaign_id"
        " WHERE s.id = $1",
        selection_id,
    )


async def of_selection_schedule(conn: Connection, name: str) -> str | None:
    """That of the spec of the schedule of that name."""
    return await conn.fetchval("SELECT namespace FROM selection_schedules WHERE name = $1", name)


async def of_bulk_operation(conn: Connection, bulk_operation_id: UUID) -> str | None:
    """That of a bulk operation's campaign."""
    return await conn.fetchval(
        "SELECT c.namespace FROM bulk_operations b JOIN campaigns c ON c.id = b.campaign_id WHERE b.id = $1",
        bulk_operation_id,
    )


async def of_operation(conn: Connection, operation_id: UUID) -> str | None:
    """That of the run, selection or bulk operation that an operation is about; None too where it is about no such."""
    return await conn.fetchval(
        """
        SELECT coalesce(
            (SELECT c.namespace FROM runs r JOIN campaigns c ON c.id = r.campaign_id WHERE r.id = o.run_id),
            (SELECT c.namespace FROM targets t JOIN campaigns c ON c.id = t.campaign_id WHERE t.id = o.target_id),
            (SELECT coalesce(c.namespace, s.namespace) FROM selections s
             LEFT JOIN campaigns c ON c.id = s.campaign_id WHERE s.id::text = o.payload ->> 'selection_id'),
            (SELECT c.namespace FROM bulk_operations b JOIN campaigns c ON c.id = b.campaign_id
             WHERE b.id::text = o.payload ->> 'bulk_operation_id'))
        FROM operations o WHERE o.id = $1
        """,
        operation_id,
    )
