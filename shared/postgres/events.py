"""Events of runs and targets, and which of them may still be on their way to Redis."""

# ruff: noqa: S608  # the only thing put into SQL here is the list of columns

from __future__ import annotations

import json
from collections.abc import Sequence

import asyncpg

from ..domain.event import Event
from ..domain.ids import EventId, RunId, TargetId
from ..domain.notifications import NOTABLE_EVENTS
from .notifications import note_events
from .pool import Connection

_COLUMNS = "id, run_id, target_id, type, payload, occurred_at"


def _from_row(row: asyncpg.Record) -> Event:
    return Event(
        id=EventId(row["id"]),
        run_id=RunId(row["run_id"]),
        target_id=TargetId(row["target_id"]) if row["target_id"] else None,
        type=row["type"],
        payload=row["payload"],
        occurred_at=row["occurred_at"],
    )


async def insert_events(conn: Connection, *, events: Sequence[Event]) -> None:
    """Stores events, with what is told of them to webhook endpoints, and notes what may be told to people."""
    await conn.execute(
        """WITH stored AS (
               INSERT INTO events (id, run_id, target_id, type, payload, occurred_at)
               SELECT id, run_id, target_id, type, payload::jsonb, occurred_at
               FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::timestamptz[])
                   AS given (id, run_id, target_id, type, payload, occurred_at)
               RETURNING id, run_id, type
           )
           INSERT INTO webhook_messages (endpoint_id, id, type)
           SELECT endpoint.id, stored.id, stored.type
           FROM webhook_endpoints endpoint JOIN stored
               ON endpoint.events && ARRAY['*', split_part(stored.type, '.', 1) || '.*', stored.type]
           WHERE endpoint.disabled_at IS NULL AND (endpoint.campaign_id IS NULL
               OR endpoint.campaign_id = (SELECT campaign_id FROM runs WHERE runs.id = stored.run_id))
           FOR KEY SHARE OF endpoint -- one that is being deleted is waited for, and left out""",
        [event.id for event in events],
        [event.run_id for event in events],
        [event.target_id for event in events],
        [event.type for event in events],
        [json.dumps(event.payload) for event in events],
        [event.occurred_at for event in events],
    )
    if any(event.type in NOTABLE_EVENTS for event in events):
        await note_events(conn, events)


async def list_events_of_target(
    conn: Connection, *, target_id: TargetId, after: EventId | None = None, limit: int = 100
) -> list[Event]:
    """Events of a target, oldest first, after the event `after`."""
    rows = await conn.fetch(
        f"""SELECT {_COLUMNS} FROM events WHERE target_id = $1 AND ($2::uuid IS NULL OR id > $2)
            ORDER BY id LIMIT $3""",
        target_id,
        after,
        limit,
    )
    return [_from_row(row) for row in rows]


async def fetch_recent_event_ids(conn: Connection, run_id: RunId) -> frozenset[EventId]:
    """Ids of the run's committed events that may come to its stream after a position taken within the last minute.

    Who sends a snapshot leaves these out of what follows: they are in it (see `shared/streams/feed.py`).
    """
    rows = await conn.fetch(
        """SELECT id FROM events
           WHERE run_id = $1 AND (appended_at IS NULL OR appended_at > now() - interval '1 minute')""",
        run_id,
    )
    return frozenset(EventId(row["id"]) for row in rows)


async def fetch_recent_event_ids_of_runs(conn: Connection) -> frozenset[EventId]:
    """The same of the events that are about runs themselves, of all runs."""
    rows = await conn.fetch(
        """SELECT id FROM events
           WHERE target_id IS NULL AND (appended_at IS NULL OR appended_at > now() - interval '1 minute')"""
    )
    return frozenset(EventId(row["id"]) for row in rows)


async def claim_unconfirmed(conn: Connection, *, older_than_seconds: float, limit: int) -> list[Event]:
    """Events of which the relay has not seen yet that they are on their stream, oldest first, locked."""
    rows = await conn.fetch(
        f"""SELECT {_COLUMNS} FROM events
            WHERE appended_at IS NULL AND occurred_at < now() - make_interval(secs => $1)
            ORDER BY id LIMIT $2 FOR UPDATE SKIP LOCKED""",
        older_than_seconds,
        limit,
    )
    return [_from_row(row) for row in rows]


async def confirm_appended(conn: Connection, *, event_ids: Sequence[EventId]) -> None:
    """Keeps that these events are on their streams."""
    await conn.execute("UPDATE events SET appended_at = now() WHERE id = ANY($1)", event_ids)
