"""What follows a snapshot of a run: no gap, no double, however often the watcher comes back.

How the gateway streams a run:

1. `position = await events.position(run_id)`, **before** anything is read from Postgres.
2. In one `REPEATABLE READ` transaction: the snapshot (run, counts) and
   `included = await fetch_recent_event_ids(conn, run_id)` (`shared/postgres/events.py`).
3. `feed = await RunFeed.after_snapshot(events, run_id, position=position, included=included)`; send the snapshot with
   `id: {feed.position or ""}`: an empty id makes the watcher forget the last one, so that coming back in this moment
   gives a snapshot again.
4. Again and again `for entry in await feed.next(block_seconds=5)`: send the event with `id: {entry.position or ""}`.
5. Where anything raises `EventsLost`, go to 1.

A watcher that comes back with `Last-Event-ID` starts at step 4, with `RunFeed(events, run_id, after=last_event_id)`.

Why there is no gap: what is not in the snapshot is committed after it began, so it is appended after `position`.
Why there is no double: what is in the snapshot and reaches the stream after `position` is in `included` and left out;
positions are given for coming back only when all of that has passed. Why a loss is noticed: a position is the id of a
real entry, so one that is not in the stream any more tells that entries after it may be missing too.
"""

from __future__ import annotations

from dataclasses import replace

from ..domain.ids import EventId, RunId
from .events import RunEvents, StreamedEvent


class RunFeed:
    """The events of one run after a position, for one watcher."""

    def __init__(self, events: RunEvents, run_id: RunId, *, after: str) -> None:
        self._events = events
        self._run_id = run_id
        self._after = after
        self._included: frozenset[EventId] = frozenset()
        self._awaited: set[EventId] = set()  # in the snapshot, and not on the stream yet
        self._settled_at = after

    @classmethod
    async def after_snapshot(
        cls, events: RunEvents, run_id: RunId, *, position: str, included: frozenset[EventId]
    ) -> RunFeed:
        """What follows a snapshot that was read after `position` was taken and holds `included`."""
        feed = cls(events, run_id, after=position)
        feed._included = included
        feed._awaited = await events.missing(run_id, included)
        feed._settled_at = await events.position(run_id)
        return feed

    @property
    def position(self) -> str | None:
        """Where a watcher may resume; None while that could show again what the snapshot held."""
        is_settled = not self._awaited and _order(self._after) >= _order(self._settled_at)
        return self._after if is_settled else None

    async def next(self, *, block_seconds: float = 0, count: int = 100) -> list[StreamedEvent]:
        """Up to `count` events, waiting up to `block_seconds` (at most 5) for the first.

        An empty answer means only that nothing came. Raises `EventsLost` and `InvalidInput` as `RunEvents.read` does.
        """
        following: list[StreamedEvent] = []
        for entry in await self._events.read(self._run_id, after=self._after, block_seconds=block_seconds, count=count):
            self._after = entry.position or self._after
            self._awaited.discard(entry.event.id)
            if entry.event.id not in self._included:
                following.append(replace(entry, position=self.position))
        return following


def _order(position: str) -> tuple[int, int]:
    milliseconds, _, sequence = position.partition("-")
    return int(milliseconds), int(sequence)
