"""Operations: accepted commands and what became of them."""

# ruff: noqa: S608  # the only thing put into SQL here is the list of columns

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

import asyncpg

from ..domain.ids import InstallationId, OperationId, RunId, TargetId, new_id
from ..domain.operation import NewOperation, Operation, OperationState, Priority, Service
from ..errors import NotFound
from .pool import Connection

COLUMNS = """id, service, type, payload, payload_at, dedupe_key, actor, run_id, target_id, installation_id, priority,
    order_key, not_before, trace, state, attempts, error, created_at, finished_at"""


def operation_from_row(row: asyncpg.Record) -> Operation:
    """The operation in a row of `COLUMNS`."""
    return Operation(
        id=OperationId(row["id"]),
        service=Service(row["service"]),
        type=row["type"],
        payload=row["payload"],
        dedupe_key=row["dedupe_key"],
        actor=row["actor"],
        run_id=RunId(row["run_id"]) if row["run_id"] else None,
        target_id=TargetId(row["target_id"]) if row["target_id"] else None,
        installation_id=InstallationId(row["installation_id"]) if row["installation_id"] else None,
        priority=Priority(row["priority"]),
        order_key=row["order_key"],
        not_before=row["not_before"],
        payload_at=row["payload_at"],
        trace=row["trace"] or {},
        state=OperationState(row["state"]),
        attempts=row["attempts"],
        error=row["error"],
        created_at=row["created_at"],
        finished_at=row["finished_at"],
    )


async def get_operation(conn: Connection, operation_id: OperationId) -> Operation:
    """The operation; raises `NotFound`."""
    row = await conn.fetchrow(f"SELECT {COLUMNS} FROM operations WHERE id = $1", operation_id)
    if row is None:
        raise NotFound("operation", operation_id)
    return operation_from_row(row)


async def list_operations_of_run(
    conn: Connection,
    *,
    run_id: RunId,
    state: OperationState | None = None,
    after: OperationId | None = None,
    limit: int = 100,
) -> list[Operation]:
    """Operations of a run, or those of them in a state, in the order they were accepted, from the one after `after`."""
    rows = await conn.fetch(
        f"""SELECT {COLUMNS} FROM operations
            WHERE run_id = $1 AND ($2::uuid IS NULL OR id > $2) AND ($4::text IS NULL OR state = $4)
            ORDER BY id LIMIT $3""",
        run_id,
        after,
        limit,
        state,
    )
    return [operation_from_row(row) for row in rows]


async def accept_operations(
    conn: Connection, *, commands: Sequence[NewOperation], trace: Mapping[str, str] | None = None
) -> tuple[list[Operation], list[Operation]]:
    """Stores commands in one statement: all operations in the commands' order, and those of them that are new.

    A dedupe key that was accepted before, or twice here, gives the operation that was first.
    """
    if not commands:
        return [], []
    # in one order everywhere, so that two transactions with the same keys wait for each other and do not deadlock
    ordered = sorted(commands, key=lambda command: command.dedupe_key)
    new = await conn.fetch(
        f"""INSERT INTO operations (id, service, type, payload, payload_at, dedupe_key, actor, run_id, target_id,
                installation_id, priority, order_key, not_before, trace)
            SELECT id, service, type, payload, payload_at, dedupe_key, actor, run_id, target_id,
                installation_id, priority, order_key, not_before, $2
            FROM jsonb_to_recordset($1) AS given (id uuid, service text, type text, payload jsonb, payload_at text,
                dedupe_key text, actor text, run_id uuid, target_id uuid, installation_id bigint, priority text,
                order_key text, not_before timestamptz)
            ON CONFLICT (dedupe_key) DO NOTHING
            RETURNING {COLUMNS}""",
        [_to_record(command) for command in ordered],
        trace or None,
    )
    by_key = {row["dedupe_key"]: operation_from_row(row) for row in new}
    known = [command.dedupe_key for command in commands if command.dedupe_key not in by_key]
    if known:
        rows = await conn.fetch(f"SELECT {COLUMNS} FROM operations WHERE dedupe_key = ANY($1)", known)
        by_key |= {row["dedupe_key"]: operation_from_row(row) for row in rows}
    new_keys = {row["dedupe_key"] for row in new}
    inserted = {key: operation for key, operation in by_key.items() if key in new_keys}
    in_order = [by_key[command.dedupe_key] for command in commands]
    return in_order, [inserted.pop(key) for key in (c.dedupe_key for c in commands) if key in inserted]


def _to_record(command: NewOperation) -> dict[str, Any]:
    return {
        "id": str(new_id()),
        "service": command.service.value,
        "type": command.type,
        "payload": dict(command.payload),
        "payload_at": command.payload_at,
        "dedupe_key": command.dedupe_key,
        "actor": command.actor,
        "run_id": command.run_id and str(command.run_id),
        "target_id": command.target_id and str(command.target_id),
        "installation_id": command.installation_id,
        "priority": command.priority.value,
        "order_key": command.order_key,
        "not_before": command.not_before and command.not_before.isoformat(),
    }


async def complete_operation(conn: Connection, operation_id: OperationId) -> bool:
    """Marks an accepted operation succeeded, and locks its row; false where it is not accepted any more."""
    return bool(await complete_operations(conn, operation_ids=[operation_id]))


async def complete_operations(conn: Connection, *, operation_ids: Iterable[OperationId]) -> frozenset[OperationId]:
    """Marks accepted operations succeeded; gives those that were accepted until now."""
    rows = await conn.fetch(
        """UPDATE operations SET state = 'succeeded', finished_at = now(), error = NULL
           WHERE id = ANY($1) AND state = 'accepted' RETURNING id""",
        list(operation_ids),
    )
    return frozenset(OperationId(row["id"]) for row in rows)


async def fail_operation(conn: Connection, operation_id: OperationId, *, error: str) -> bool:
    """Marks an accepted operation failed with its error, its last attempt counted; false where it was finished."""
    status = await conn.execute(
        """UPDATE operations SET state = 'failed', finished_at = now(), error = $2, attempts = attempts + 1
           WHERE id = $1 AND state = 'accepted'""",
        operation_id,
        error,
    )
    return status == "UPDATE 1"


async def record_attempt(conn: Connection, operation_id: OperationId, *, attempts: int, error: str) -> None:
    """Keeps that `attempts` runs of an accepted operation have ended with an error, and the last error."""
    await conn.execute(
        "UPDATE operations SET attempts = greatest(attempts, $2), error = $3 WHERE id = $1 AND state = 'accepted'",
        operation_id,
        attempts,
        error,
    )


async def accepted_among(conn: Connection, *, operation_ids: Iterable[OperationId]) -> frozenset[OperationId]:
    """Those of the operations that are accepted and not finished."""
    rows = await conn.fetch("SELECT id FROM operations WHERE id = ANY($1) AND state = 'accepted'", list(operation_ids))
    return frozenset(OperationId(row["id"]) for row in rows)


async def claim_unconfirmed(
    conn: Connection, *, service: Service, older_than_seconds: float, limit: int
) -> list[OperationId]:
    """Accepted operations of which the relay has not seen yet that Redis holds them, oldest first, locked."""
    rows = await conn.fetch(
        """SELECT id FROM operations
            WHERE state = 'accepted' AND service = $1 AND appended_at IS NULL
                AND created_at < now() - make_interval(secs => $2)
            ORDER BY id LIMIT $3 FOR UPDATE SKIP LOCKED""",
        service.value,
        older_than_seconds,
        limit,
    )
    return [OperationId(row["id"]) for row in rows]


async def confirm_appended(conn: Connection, *, operation_ids: Sequence[OperationId]) -> None:
    """Keeps that Redis holds these operations."""
    await conn.execute("UPDATE operations SET appended_at = now() WHERE id = ANY($1)", operation_ids)


async def iterate_accepted_ids(
    conn: Connection, *, service: Service, older_than_seconds: float, batch: int
) -> AsyncIterator[list[OperationId]]:
    """All accepted operations of a service, in batches of ids; needs a transaction."""
    cursor: Any = await conn.cursor(
        """SELECT id FROM operations WHERE state = 'accepted' AND service = $1
           AND created_at < now() - make_interval(secs => $2)""",
        service.value,
        older_than_seconds,
    )
    while rows := await cursor.fetch(batch):
        yield [OperationId(UUID(int=row["id"].int)) for row in rows]


async def list_accepted(conn: Connection, *, operation_ids: Sequence[OperationId]) -> list[Operation]:
    """Those of the operations that are accepted, whole."""
    rows = await conn.fetch(
        f"SELECT {COLUMNS} FROM operations WHERE id = ANY($1) AND state = 'accepted' ORDER BY id", operation_ids
    )
    return [operation_from_row(row) for row in rows]
