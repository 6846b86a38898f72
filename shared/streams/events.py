"""A run's events as a capped stream in Redis, for those who watch it.

What is about a run itself, and about none of its targets, is also on one more stream, that of all runs. How to show a
stream with no gap and no double (the gateway does) stands in `feed.py`. A position is the id of a real entry of the
stream, so one that is not there any more tells that entries after it may be missing too.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias
from uuid import UUID

from redis.asyncio import Redis, RedisCluster

from ..domain.event import Event
from ..domain.ids import EventId, RunId, TargetId
from ..errors import InvalidInput, OctobatchError
from . import keys
from .connection import MAX_BLOCK_SECONDS
from .entry_ids import parse_stream_id
from .script import Argument, Script

Followed: TypeAlias = RunId | None
"""Whose stream of events: one run's, or None for what is about runs themselves, of all runs."""

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

    def __init__(self, run_id: Followed, position: str) -> None:
        super().__init__(
            f"the events of {f'run {run_id}' if run_id else 'runs'} after {position} are not kept any more"
        )
        self.run_id, self.position = run_id, position


@dataclass(frozen=True, kw_only=True)
class StreamedEvent:
    """An event and its place in its stream, which is what `Last-Event-ID` carries."""

    position: str
    event: Event


@dataclass(frozen=True, kw_only=True)
class Following:
    """What follows a position in a stream; `position` is the newest that was looked at."""

    position: str
    events: list[StreamedEvent]


class RunEvents:
    """Appends and reads the events of runs."""

    def __init__(self, redis: Redis, *, max_events: int = MAX_EVENTS) -> None:
        self._redis = redis
        self._max_events = max_events

    async def append(self, events: Sequence[Event]) -> None:
        """Appends each event once: an id that was appended lately changes nothing. Raises what Redis raises."""
        by_stream: defaultdict[Followed, list[Event]] = defaultdict(list)
        for event in events:
            by_stream[event.run_id].append(event)
            if event.target_id is None:
                by_stream[None].append(event)
        calls = [
            self._append_call(run_id, of_run[start : start + AT_ONCE])
            for run_id, of_run in by_stream.items()
            for start in range(0, len(of_run), AT_ONCE)
        ]
        for result in await _APPEND.run_all(self._redis, calls):
            if isinstance(result, Exception):
                raise result

    def _append_call(self, run_id: Followed, events: Sequence[Event]) -> tuple[list[str], list[Argument]]:
        limits: list[Argument] = [self._max_events, REMEMBERED * self._max_events, KEPT_SECONDS]
        return (
            [keys.run_events(run_id), keys.run_events_seen(run_id)],
            [*limits, *(part for event in events for part in (str(event.id), _to_json(event)))],
        )

    async def position(self, run_id: Followed) -> str:
        """The newest position of the stream; reading after it gives what is appended from now on."""
        position: bytes = await _POSITION.run(self._redis, [keys.run_events(run_id)], [KEPT_SECONDS])
        return position.decode()

    async def missing(self, run_id: Followed, event_ids: Iterable[EventId]) -> set[EventId]:
        """Those of the events that were not appended lately."""
        ids = list(event_ids)
        if not ids:
            return set()
        seen = keys.run_events_seen(run_id)
        scores: list[float | None] = await self._redis.zmscore(seen, [str(i) for i in ids])  # pyright: ignore
        return {event_id for event_id, score in zip(ids, scores, strict=True) if score is None}

    async def read(
        self, run_id: Followed, *, after: str, block_seconds: float = 0, count: int = 100
    ) -> list[StreamedEvent]:
        """Up to `count` events after the position `after`, waiting up to `block_seconds` (at most 5) for the first.

        Raises `EventsLost` where there may be a gap after `after`, `InvalidInput` where it is not a position.
        Waiting holds one connection of the pool.
        """
        if not _POSITION_FORM.fullmatch(after):
            raise InvalidInput(f"{after!r} is not a position in a stream of events")
        parse_stream_id(after)
        stream = keys.run_events(run_id)
        entries: list[Any] = await self._redis.xrange(stream, min=f"({after}", count=count)  # pyright: ignore
        found = _streamed(entries)
        if not entries and block_seconds > 0:
            await self._check_kept(run_id, after)  # a position that is lost is told at once, not after waiting
            following = await self.read_together({run_id: after}, block_seconds=block_seconds, count=count)
            found = following[run_id].events if following else []
        # after reading: what was there now was there all the time, and with it everything behind it
        await self._check_kept(run_id, after)
        return found

    async def read_together(
        self, after: Mapping[Followed, str], *, block_seconds: float, count: int = 100
    ) -> dict[Followed, Following]:
        """What follows these positions in several streams, up to `count` in each, by one command that waits for any.

        Streams in which nothing follows are left out. On Redis Cluster one stream at a time: they are on several
        nodes. Who is to notice a loss asks `lost` afterwards. Waiting holds one connection of the pool.
        """
        by_key = {keys.run_events(run_id): run_id for run_id in after}
        block_ms = max(int(min(block_seconds, MAX_BLOCK_SECONDS) * 1000), 1)
        places = {key: after[run_id] for key, run_id in by_key.items()}
        answer: Any = await self._redis.xread(places, count=count, block=block_ms)  # pyright: ignore
        return {
            by_key[key.decode()]: Following(position=entries[-1][0].decode(), events=_streamed(entries))
            for key, entries in answer or ()
        }

    async def lost(self, positions: Mapping[Followed, str]) -> set[Followed]:
        """The streams that do not hold their position any more, so that something after it may be missing."""
        kept = await self._kept([(keys.run_events(run_id), position) for run_id, position in positions.items()])
        return {run_id for run_id, is_kept in zip(positions, kept, strict=True) if not is_kept}

    async def _kept(self, places: Sequence[tuple[str, str]]) -> list[Any]:
        if isinstance(self._redis, RedisCluster):  # whose pipeline gives up at the first redirection
            return await asyncio.gather(*(self._redis.xrange(key, min=at, max=at) for key, at in places))  # pyright: ignore
        async with self._redis.pipeline(transaction=False) as pipeline:
            for key, at in places:
                pipeline.xrange(key, min=at, max=at)  # pyright: ignore
            return await pipeline.execute()

    async def _check_kept(self, run_id: Followed, position: str) -> None:
        if await self.lost({run_id: position}):
            raise EventsLost(run_id, position)


def _streamed(entries: Iterable[Any]) -> list[StreamedEvent]:
    return [
        StreamedEvent(position=entry_id.decode(), event=_from_json(fields[b"event"]))
        for entry_id, fields in entries
        if b"event" in fields
    ]


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
