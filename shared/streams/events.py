"""A run's events as a capped stream in Redis, for those who watch it.

How to show a run with no gap and no double (the gateway's event stream does) stands in `feed.py`. A position is the id
of a real entry of the stream, so one that is not there any more tells that entries after it may be missing too.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast
from uuid import UUID

from redis.asyncio import Redis

from ..domain.event import Event
from ..domain.ids import EventId, RunId, TargetId
from ..errors import InvalidInput, OctobatchError
from . import keys
from .connection import MAX_BLOCK_SECONDS
from .script import Argument, Script

MAX_EVENTS = 10_000
"""Events kept for each run, about: who is further behind gets a snapshot."""

REMEMBERED = 5
"""Ids of so many times more events are remembered, so that the relay appends none twice."""

KEPT_SECONDS = 7 * 24 * 3600
"""How long a run's stream is kept after its last event."""

AT_ONCE = 200
"""Events that one script appends: few enough that nobody waits for it."""

_APPEND = Script.read("append_events")
_POSITION = Script.read("event_position")
_POSITION_FORM = re.compile(r"\d{1,20}-\d{1,20}")


class EventsLost(OctobatchError):
    """The stream does not go back to the position asked for: take a snapshot from Postgres first."""

    def __init__(self, run_id: RunId, position: str) -> None:
        super().__init__(f"the events of run {run_id} after {position} are not kept any more")
        self.run_id, self.position = run_id, position


@dataclass(frozen=True, kw_only=True)
class StreamedEvent:
    """An event and its place in the run's stream, which is what `Last-Event-ID` carries.

    None where a watcher cannot resume there (see `feed.py`).
    """

    position: str | None
    event: Event


class RunEvents:
    """Appends and reads the events of runs."""

    def __init__(self, redis: Redis, *, max_events: int = MAX_EVENTS) -> None:
        self._redis = redis
        self._max_events = max_events

    async def append(self, events: Sequence[Event]) -> None:
        """Appends each event once: an id that was appended lately changes nothing. Raises what Redis raises."""
        by_run: defaultdict[RunId, list[Event]] = defaultdict(list)
        for event in events:
            by_run[event.run_id].append(event)
        calls = [
            self._append_call(run_id, of_run[start : start + AT_ONCE])
            for run_id, of_run in by_run.items()
            for start in range(0, len(of_run), AT_ONCE)
        ]
        for result in await _APPEND.run_all(self._redis, calls):
            if isinstance(result, Exception):
                raise result

    def _append_call(self, run_id: RunId, events: Sequence[Event]) -> tuple[list[str], list[Argument]]:
        limits: list[Argument] = [self._max_events, REMEMBERED * self._max_events, KEPT_SECONDS]
        return (
            [keys.run_events(run_id), keys.run_events_seen(run_id)],
            [*limits, *(part for event in events for part in (str(event.id), _to_json(event)))],
        )

    async def position(self, run_id: RunId) -> str:
        """The newest position of the run's stream; reading after it gives what is appended from now on."""
        position: bytes = await _POSITION.run(self._redis, [keys.run_events(run_id)], [KEPT_SECONDS])
        return position.decode()

    async def missing(self, run_id: RunId, event_ids: Iterable[EventId]) -> set[EventId]:
        """Those of the events that were not appended lately."""
        ids = list(event_ids)
        if not ids:
            return set()
        seen = keys.run_events_seen(run_id)
        scores: list[float | None] = await self._redis.zmscore(seen, [str(i) for i in ids])  # pyright: ignore
        return {event_id for event_id, score in zip(ids, scores, strict=True) if score is None}

    async def read(
        self, run_id: RunId, *, after: str, block_seconds: float = 0, count: int = 100
    ) -> list[StreamedEvent]:
        """Up to `count` events after the position `after`, waiting up to `block_seconds` (at most 5) for the first.

        Raises `EventsLost` where there may be a gap after `after`, `InvalidInput` where it is not a position.
        Waiting holds one connection of the pool.
        """
        if not _POSITION_FORM.fullmatch(after):
            raise InvalidInput(f"{after!r} is not a position in a stream of events")
        stream = keys.run_events(run_id)
        entries: list[Any] = await self._redis.xrange(stream, min=f"({after}", count=count)  # pyright: ignore
        if not entries and block_seconds > 0:
            await self._check_kept(run_id, after)  # a position that is lost is told at once, not after waiting
            block_ms = max(int(min(block_seconds, MAX_BLOCK_SECONDS) * 1000), 1)
            answer: Any = await self._redis.xread({stream: after}, count=count, block=block_ms)  # pyright: ignore
            entries = cast("list[Any]", answer[0][1]) if answer else []
        # after reading: what was there now was there all the time, and with it everything behind it
        await self._check_kept(run_id, after)
        return [
            StreamedEvent(position=entry_id.decode(), event=_from_json(fields[b"event"]))
            for entry_id, fields in entries
            if b"event" in fields
        ]

    async def _check_kept(self, run_id: RunId, position: str) -> None:
        if not await self._redis.xrange(keys.run_events(run_id), min=position, max=position):  # pyright: ignore
            raise EventsLost(run_id, position)


def _to_json(event: Event) -> bytes:
    content = {
        "id": str(event.id),
        "run_id": str(event.run_id),
        "target_id": str(event.target_id) if event.target_id else None,
        "type": event.type,
        "payload": event.payload,
        "occurred_at": event.occurred_at.isoformat(),
    }
    return json.dumps(content, separators=(",", ":"), ensure_ascii=False).encode()


def _from_json(raw: bytes) -> Event:
    content: dict[str, Any] = json.loads(raw)
    return Event(
        id=EventId(UUID(content["id"])),
        run_id=RunId(UUID(content["run_id"])),
        target_id=TargetId(UUID(content["target_id"])) if content["target_id"] else None,
        type=content["type"],
        payload=content["payload"],
        occurred_at=datetime.fromisoformat(content["occurred_at"]),
    )
