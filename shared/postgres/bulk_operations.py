"""Bulk operations in Postgres, and what became of each of their targets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from asyncpg import Record

from ..domain.bulk import (
    BulkAction,
    BulkOperation,
    BulkParameters,
    BulkScope,
    BulkState,
    BulkTargetState,
    TargetFilter,
)
from ..domain.ids import BulkOperationId, CampaignId, RunId, TargetId
from ..domain.target import Target
from ..errors import NotFound
from .pool import Connection
from .targets import TARGET_COLUMNS, target_from_row

_COLUMNS = """
    b.id, b.campaign_id, c.name AS campaign_name, b.run_id, b.action, b.parameters, b.filter, b.state, b.created_by,
    b.created_at, b.finished_at"""

_SELECT = f"""
    SELECT {_COLUMNS}, coalesce(counted.counts, '{{}}'::jsonb) AS counts
    FROM bulk_operations b JOIN campaigns c ON c.id = b.campaign_id
    LEFT JOIN LATERAL (
        SELECT jsonb_object_agg(state, n) AS counts
        FROM (SELECT state, count(*) AS n FROM bulk_targets WHERE bulk_operation_id = b.id GROUP BY state) each
    ) counted ON true
"""  # noqa: S608


@dataclass(frozen=True, kw_only=True)
class BulkTarget:
    """One target of a bulk operation, and what became of it there."""

    target: Target
    state: BulkTargetState
    reason: str | None
    finished_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class ReasonCount:
    """How many targets of a bulk operation came to a state for the same reason."""

    state: BulkTargetState
    reason: str
    count: int


async def insert_bulk_operation(
    conn: Connection,
    bulk_id: BulkOperationId,
    *,
    scope: BulkScope,
    action: BulkAction,
    parameters: BulkParameters,
    wanted: TargetFilter,
    created_by: str,
) -> None:
    """A running bulk operation without targets."""
    await conn.execute(
        """INSERT INTO bulk_operations (id, campaign_id, run_id, action, parameters, filter, state, created_by)
           VALUES ($1, $2, $3, $4, $5, $6, 'running', $7)""",
        bulk_id,
        scope.campaign_id,
        scope.run_id,
        action,
        parameters.model_dump(mode="json", exclude_defaults=True),
        wanted.model_dump(mode="json", exclude_defaults=True),
        created_by,
    )


async def insert_bulk_targets(
    conn: Connection, bulk_id: BulkOperationId, skipped_because: Mapping[TargetId, str | None]
) -> None:
    """Its targets, in one statement: skipped for the reason given, else pending."""
    await conn.execute(
        """
        INSERT INTO bulk_targets (bulk_operation_id, target_id, state, reason, finished_at)
        SELECT $1, target_id, CASE WHEN reason IS NULL THEN 'pending' ELSE 'skipped' END, reason,
            CASE WHEN reason IS NULL THEN NULL ELSE now() END
        FROM unnest($2::uuid[], $3::text[]) AS given (target_id, reason)
        """,
        bulk_id,
        list(skipped_because),
        list(skipped_because.values()),
    )


async def get_bulk_operation(conn: Connection, bulk_id: BulkOperationId) -> BulkOperation:
    """The bulk operation of that id; raises `NotFound`."""
    row = await conn.fetchrow(f"{_SELECT} WHERE b.id = $1", bulk_id)
    if row is None:
        raise NotFound("bulk operation", bulk_id)
    return _from_row(row)


async def page_bulk_operations(
    conn: Connection,
    *,
    namespaces: Sequence[str] | None,
    campaign: str | None = None,
    run_id: RunId | None = None,
    state: BulkState | None = None,
    before: BulkOperationId | None = None,
    limit: int = 50,
) -> list[BulkOperation]:
    """Bulk operations of the namespaces (None = of all), newest first; filters that are not given let all pass."""
    rows = await conn.fetch(
        f"""{_SELECT} WHERE ($1::text IS NULL OR c.name = $1) AND ($2::uuid IS NULL OR b.run_id = $2)
            AND ($3::text IS NULL OR b.state = $3) AND ($4::uuid IS NULL OR b.id < $4)
            AND ($6::text[] IS NULL OR c.namespace = ANY($6)) ORDER BY b.id DESC LIMIT $5""",
        campaign,
        run_id,
        state,
        before,
        limit,
        namespaces,
    )
    return [_from_row(row) for row in rows]


async def count_reasons(conn: Connection, bulk_id: BulkOperationId, *, most: int = 20) -> list[ReasonCount]:
    """Why targets were skipped or failed, the commonest reasons first."""
    rows = await conn.fetch(
        """SELECT state, reason, count(*) AS n FROM bulk_targets
           WHERE bulk_operation_id = $1 AND state IN ('skipped', 'failed') AND reason IS NOT NULL
           GROUP BY state, reason ORDER BY n DESC, state, reason LIMIT $2""",
        bulk_id,
        most,
    )
    return [ReasonCount(state=BulkTargetState(row["state"]), reason=row["reason"], count=row["n"]) for row in rows]


async def page_bulk_targets(
    conn: Connection,
    bulk_id: BulkOperationId,
    *,
    states: Sequence[BulkTargetState] = (),
    after: TargetId | None = None,
    limit: int = 50,
) -> list[BulkTarget]:
    """Targets of a bulk operation in the order of their ids, from the one after `after`."""
    rows = await conn.fetch(
        f"""
        SELECT b.state AS bulk_state, b.reason AS bulk_reason, b.finished_at, {TARGET_COLUMNS}
        FROM bulk_targets b JOIN targets t ON t.id = b.target_id
        WHERE b.bulk_operation_id = $1 AND (cardinality($2::text[]) = 0 OR b.state = ANY($2))
          AND ($3::uuid IS NULL OR b.target_id > $3)
        ORDER BY b.target_id LIMIT $4
        """,  # noqa: S608
        bulk_id,
        list(states),
        after,
        limit,
    )
    return [
        BulkTarget(
            target=target_from_row(row),
            state=BulkTargetState(row["bulk_state"]),
            reason=row["bulk_reason"],
            finished_at=row["finished_at"],
        )
        for row in rows
    ]


async def fetch_pending(conn: Connection, bulk_id: BulkOperationId, target_id: TargetId) -> BulkOperation | None:
    """The bulk operation, its targets not counted, where the target is still to be acted on."""
    row = await conn.fetchrow(
        f"""
        SELECT {_COLUMNS}, '{{}}'::jsonb AS counts
        FROM bulk_targets t JOIN bulk_operations b ON b.id = t.bulk_operation_id
            JOIN campaigns c ON c.id = b.campaign_id
        WHERE t.bulk_operation_id = $1 AND t.target_id = $2 AND t.state = 'pending'
        """,  # noqa: S608
        bulk_id,
        target_id,
    )
    return _from_row(row) if row else None


async def finish_bulk_target(
    conn: Connection,
    bulk_id: BulkOperationId,
    target_id: TargetId,
    *,
    state: BulkTargetState,
    reason: str | None = None,
) -> bool:
    """Records what became of a target, once; whether it did. What was done counts even where it was cancelled."""
    finished = await conn.fetchval(
        """
        UPDATE bulk_targets SET state = $3, reason = $4, finished_at = now()
        WHERE bulk_operation_id = $1 AND target_id = $2
          AND (state = 'pending' OR (state = 'cancelled' AND $3 = 'done')) RETURNING target_id
        """,
        bulk_id,
        target_id,
        state,
        reason,
    )
    return finished is not None


async def complete_if_done(conn: Connection, bulk_id: BulkOperationId) -> bool:
    """Completes a running bulk operation none of whose targets is pending; whether it did."""
    completed = await conn.fetchval(
        f"""UPDATE bulk_operations b SET state = 'completed', finished_at = now()
            WHERE b.id = $1 AND b.state = 'running' AND NOT {_PENDING} RETURNING b.id""",  # noqa: S608
        bulk_id,
    )
    return completed is not None


async def complete_all_done(conn: Connection) -> None:
    """The same for every bulk operation: for those whose last worker died before it looked."""
    await conn.execute(
        f"""UPDATE bulk_operations b SET state = 'completed', finished_at = now()
            WHERE b.state = 'running' AND NOT {_PENDING}"""  # noqa: S608
    )


async def cancel_bulk_operation(conn: Connection, bulk_id: BulkOperationId) -> bool:
    """Cancels a running bulk operation and its pending targets; whether it did."""
    cancelled = await conn.fetchval(
        """UPDATE bulk_operations SET state = 'cancelled', finished_at = now()
           WHERE id = $1 AND state = 'running' RETURNING id""",
        bulk_id,
    )
    await conn.execute(
        """UPDATE bulk_targets SET state = 'cancelled', finished_at = now()
           WHERE bulk_operation_id = $1 AND state = 'pending'""",
        bulk_id,
    )
    return cancelled is not None


_PENDING = "EXISTS (SELECT FROM bulk_targets t WHERE t.bulk_operation_id = b.id AND t.state = 'pending')"


def _from_row(row: Record) -> BulkOperation:
    counts: dict[str, Any] = row["counts"]
    return BulkOperation(
        id=BulkOperationId(row["id"]),
        campaign_id=CampaignId(row["campaign_id"]),
        campaign_name=row["campaign_name"],
        run_id=RunId(row["run_id"]) if row["run_id"] else None,
        action=BulkAction(row["action"]),
        parameters=BulkParameters.model_validate(row["parameters"]),
        filter=TargetFilter.model_validate(row["filter"]),
        state=BulkState(row["state"]),
        created_by=row["created_by"],
        created_at=row["created_at"],
        finished_at=row["finished_at"],
        counts={BulkTargetState(state): count for state, count in counts.items()},
    )
