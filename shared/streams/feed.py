"""What follows a snapshot: no gap, no double, however often the watcher comes back.

How the gateway streams a run (or all runs, where None stands for the run's id):

1. `position = await events.position(run_id)`, **before** anything is read from Postgres.
2. In one `REPEATABLE READ` transaction: the snapshot (run, counts) and
   `included = await fetch_recent_event_ids(conn, run_id)` (`shared/postgres/events.py`).
3. `edge = await Edge.find(events, run_id, position=position, included=included)`; send the snapshot with
   `id: {position}`, or with an empty id where the edge is not clear: it makes the watcher forget the last one, so that
   coming back in this moment gives a snapshot again.
4. `crossing = Crossing(edge)`, and of each event after `position` those that `crossing.passes`, with their position as
   id once `crossing.is_over`, and with an empty one before.
5. Where anything raises `EventsLost`, go to 1.

A watcher that comes back with `Last-Event-ID` gets what follows there, with nothing to cross.

Why there is no gap: what is not in the snapshot is committed after it began, so it is appended after `position`.
Why there is no double: what is in the snapshot and reaches the stream after `position` is in `included` and left out;
positions are given for coming back only when all of that has passed. Why a loss is noticed: a position is the id of a
real entry, so one that is not in the stream any more tells that entries after it may be missing too.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..domain.ids import EventId
from .entry_ids import parse_stream_id
from .events import Followed, RunEvents


def order_of(position: str) -> tuple[int, int]:
    """What positions of one stream are sorted by; raises `InvalidInput`."""
    milliseconds, _, sequence = parse_stream_id(position).partition("-")
    return int(milliseconds), int(sequence)


@dataclass(frozen=True, kw_only=True)
class Edge:
    """Where a snapshot ends and what follows it begins; one for all who are sent the snapshot."""

    position: str
    included: frozenset[EventId]  # in the snapshot, and maybe after the position too
    awaited: frozenset[EventId]  # those of them that are not on the stream yet
    settled_at: str  # all others are on the stream up to here

    @classmethod
    async def find(cls, events: RunEvents, run_id: Followed, *, position: str, included: frozenset[EventId]) -> Edge:
        """The edge of a snapshot that was read after `position` was taken and holds `included`."""
        awaited = await events.missing(run_id, included)
        settled_at = await events.position(run_id)
        return cls(position=position, included=included, awaited=frozenset(awaited), settled_at=settled_at)

    @property
    def is_clear(self) -> bool:
        """Whether nothing that is in the snapshot comes after its position."""
        return not self.awaited and order_of(self.position) >= order_of(self.settled_at)


class Crossing:
    """One watcher's way from a snapshot into what follows."""

    def __init__(self, edge: Edge) -> None:
        self._edge = edge
        self._awaited = len(edge.awaited)
        self._settled_at = order_of(edge.settled_at)
        self._at = order_of(edge.position)

    def passes(self, event_id: EventId, order: tuple[int, int]) -> bool:
        """Whether the next event of the stream is to be shown: it is not in the snapshot."""
        self._at = order
        if event_id in self._edge.awaited:
            self._awaited -= 1
        return event_id not in self._edge.included

    @property
    def is_over(self) -> bool:
        """Whether a watcher may come back where it is: nothing that the snapshot held is to come."""
        return self._awaited <= 0 and self._at >= self._settled_at
