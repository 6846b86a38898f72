"""A run's events as a capped stream in Redis, for those who watch it.

How to show a run with no gap and no double (the gateway's event stream does):

1. `position = await events.position(run_id)`, **before** anything is read from Postgres.
2. In one `REPEATABLE READ` transaction: read the snapshot (run, counts) and
   `included = await fetch_recent_event_ids(conn, run_id)` (`shared/postgres/events.py`).
3. Send the snapshot with `id: <position>`, then everything that `read(run_id, after=position)` gives, again and again
   with the id of the last entry, leaving out events whose id is in `included`: they were committed before the snapshot,
   so they are in it, but reached the stream after `position`.
4. Where `read` raises `EventsLost` (the position is past the cap, or Redis lost the stream), go to 1.

A client that comes back with `Last-Event-ID` starts at step 3 with that id and nothing included.
Why there is no gap: what is committed before the snapshot is in it; what is committed after it is appended after
`position`. Positions are ids of real entries, so a position that is not in the stream any more tells that
entries after it may be missing too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from redis.asyncio import Redis

from ..domain.event import Event
from ..domain.ids import RunId
from ..errors import OctobatchError

MAX_EVENTS = 10_000
"""Events kept for each run, about: who is further behind gets a snapshot."""


class EventsLost(OctobatchError):
    """The stream does not go back to the position asked for: take a snapshot from Postgres first."""

    def __init__(self, run_id: RunId, position: str) -> None:
        super().__init__(f"the events of run {run_id} after {position} are not kept any more")
        self.run_id, self.position = run_id, position


@dataclass(frozen=True, kw_only=True)
class StreamedEvent:
    """An event and its place in the run's stream, which is what `Last-Event-ID` carries."""

    position: str
    event: Event


class RunEvents:
    """Appends and reads the events of runs."""

    def __init__(self, redis: Redis, *, max_events: int = MAX_EVENTS) -> None:
        self._redis = redis
        self._max_events = max_events

    async def append(self, events: Sequence[Event]) -> None:
        """Appends each event once: an id that was appended lately changes nothing."""
        raise NotImplementedError

    async def position(self, run_id: RunId) -> str:
        """The newest position of the run's stream; reading after it gives what is appended from now on."""
        raise NotImplementedError

    async def read(
        self, run_id: RunId, *, after: str, block_seconds: float = 0, count: int = 100
    ) -> list[StreamedEvent]:
        """Up to `count` events after the position `after`, waiting up to `block_seconds` for the first.

        Raises `EventsLost` where there may be a gap after `after`, `InvalidInput` where it is not a position.
        Waiting holds one connection of the pool.
        """
        raise NotImplementedError
