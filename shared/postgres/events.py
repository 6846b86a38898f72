"""Events of runs and targets, and which of them may still be on their way to Redis."""

from __future__ import annotations

from collections.abc import Sequence

from ..domain.event import Event
from ..domain.ids import EventId, RunId, TargetId
from .pool import Connection


async def insert_events(conn: Connection, *, events: Sequence[Event]) -> None:
    """Stores events in one statement."""
    raise NotImplementedError


async def list_events_of_target(
    conn: Connection, *, target_id: TargetId, after: EventId | None = None, limit: int = 100
) -> list[Event]:
    """Events of a target, oldest first, after the event `after`."""
    raise NotImplementedError


async def fetch_recent_event_ids(conn: Connection, run_id: RunId) -> frozenset[EventId]:
    """Ids of the run's committed events that may come to its stream after a position taken within the last minute.

    Who sends a snapshot leaves these out of what follows: they are in it (see `shared/streams/events.py`).
    """
    raise NotImplementedError
