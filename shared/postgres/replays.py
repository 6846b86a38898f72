"""Operations as operators choose them: by range, type, run and state; to replay, requeue or cancel."""

# ruff: noqa: S608  # the only thing put into SQL here is the condition below

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ..domain.ids import OperationId
from ..domain.operation import Operation, OperationState, Service
from ..domain.replay import WantedRange
from .operations import COLUMNS, operation_from_row
from .pool import Connection

_WANTED = """service = $1
    AND ($2::text IS NULL OR type = $2) AND ($3::uuid IS NULL OR run_id = $3) AND ($4::uuid IS NULL OR id = $4)
    AND ($5::timestamptz IS NULL OR created_at >= $5) AND ($6::timestamptz IS NULL OR created_at < $6)
    AND ($7::text[] IS NULL OR state = ANY($7))
    AND ($8::uuid[] IS NULL OR id = ANY($8) OR (created_at >= $9::timestamptz AND created_at < $10::timestamptz))"""


@dataclass(frozen=True, kw_only=True)
class Counted:
    """How many of the operations have this type and state."""

    type: str
    state: OperationState
    count: int


def _parameters(service: Service, wanted: WantedRange) -> list[Any]:
    appended = wanted.appended
    return [
        service.value,
        wanted.type,
        wanted.run_id,
        wanted.operation_id,
        wanted.since,
        wanted.until,
        [state.value for state in wanted.states] or None,
        list(appended.operation_ids) if appended else None,
        appended.forgotten_since if appended else None,
        appended.forgotten_until if appended else None,
    ]


async def count_wanted(conn: Connection, *, service: Service, wanted: WantedRange) -> list[Counted]:
    """How many operations are wanted, by type and state."""
    rows = await conn.fetch(
        f"SELECT type, state, count(*) AS count FROM operations WHERE {_WANTED} GROUP BY type, state ORDER BY type",
        *_parameters(service, wanted),
    )
    return [Counted(type=row["type"], state=OperationState(row["state"]), count=row["count"]) for row in rows]


async def page_wanted(
    conn: Connection, *, service: Service, wanted: WantedRange, after: OperationId | None, limit: int
) -> list[Operation]:
    """Wanted operations in the order they were accepted, after the operation `after`."""
    rows = await conn.fetch(
        f"""SELECT {COLUMNS} FROM operations WHERE {_WANTED} AND ($11::uuid IS NULL OR id > $11)
            ORDER BY id LIMIT $12""",
        *_parameters(service, wanted),
        after,
        limit,
    )
    return [operation_from_row(row) for row in rows]


async def unknown_keys(conn: Connection, *, dedupe_keys: Iterable[str]) -> set[str]:
    """Those of the dedupe keys that no command was accepted under."""
    asked = list(dedupe_keys)
    rows = await conn.fetch("SELECT dedupe_key FROM operations WHERE dedupe_key = ANY($1)", asked)
    return set(asked) - {row["dedupe_key"] for row in rows}


async def states_of(conn: Connection, *, operation_ids: Iterable[OperationId]) -> Mapping[OperationId, OperationState]:
    """The state of each operation that exists."""
    rows = await conn.fetch("SELECT id, state FROM operations WHERE id = ANY($1)", list(operation_ids))
    return {OperationId(row["id"]): OperationState(row["state"]) for row in rows}


async def accept_again(conn: Connection, *, operation_ids: Iterable[OperationId]) -> frozenset[OperationId]:
    """Makes failed operations accepted, as if they had not been tried; gives those that were failed."""
    rows = await conn.fetch(
        """UPDATE operations
           SET state = 'accepted', attempts = 0, error = NULL, finished_at = NULL, appended_at = NULL
           WHERE id = ANY($1) AND state = 'failed' RETURNING id""",
        list(operation_ids),
    )
    return frozenset(OperationId(row["id"]) for row in rows)


async def cancel_operations(
    conn: Connection, *, operation_ids: Iterable[OperationId], state: OperationState
) -> frozenset[OperationId]:
    """Makes operations that are in `state` cancelled; gives those that were in it."""
    rows = await conn.fetch(
        """UPDATE operations SET state = 'cancelled', finished_at = now()
           WHERE id = ANY($1) AND state = $2 RETURNING id""",
        list(operation_ids),
        state.value,
    )
    return frozenset(OperationId(row["id"]) for row in rows)
