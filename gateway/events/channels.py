"""What is watched: a run, or all runs. A channel follows its stream, fills a log, and takes snapshots."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from shared.domain.ids import EventId, RunId
from shared.domain.run import is_finished
from shared.postgres import runs, target_counts
from shared.postgres.events import fetch_recent_event_ids
from shared.postgres.pool import Connection, Pool
from shared.streams.events import Followed, RunEvents, StreamedEvent
from shared.streams.feed import Edge, order_of
from shared.streams.tails import Tails

from ..runs.schemas import ShownRun
from .log import Log
from .messages import message_text, of_event


@dataclass(frozen=True, kw_only=True)
class Sources:
    """Where events and snapshots come from."""

    pool: Pool
    events: RunEvents
    tails: Tails


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What Postgres says at one moment. `is_final` where nothing more will come."""

    content: dict[str, Any]
    included: frozenset[EventId]
    is_final: bool


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """A snapshot as it is sent, and where what follows it begins."""

    edge: Edge
    text: bytes
    is_final: bool


class Channel(ABC):
    """What the watchers of one thing share. Once it `is_lost` nothing more comes: join anew, for a snapshot."""

    says_more_than_events = False
    """Whether who has read events from Redis still lacks something, which a snapshot has."""

    def __init__(self, sources: Sources, run_id: Followed) -> None:
        self.run_id = run_id
        self.watchers = 0
        self.is_lost = False
        self.log = Log("", (0, 0))  # until it has started
        self._sources = sources
        self._starting: asyncio.Task[None] | None = None
        self._taking: asyncio.Task[Snapshot] | None = None
        self._next: asyncio.Task[Snapshot] | None = None  # which has not begun

    async def started(self) -> None:
        """Returns once it follows its stream; raises what Redis raises, and is lost then."""
        self._starting = self._starting or asyncio.create_task(self._start())
        await asyncio.shield(self._starting)

    async def _start(self) -> None:
        try:
            position = await self._sources.tails.follow(self.run_id, self)
            self.log = Log(position, order_of(position))
        except BaseException:
            self.is_lost = True
            raise

    def deliver(self, events: Sequence[StreamedEvent]) -> None:
        """Takes what was appended to the stream."""
        self.log.append([of_event(event) for event in events])

    def lost(self) -> None:
        """Is told that the stream has a gap."""
        self.is_lost = True
        self.log.wake()

    async def snapshot(self) -> Snapshot:
        """What is, read after this was called, and where to go on from there: once for all who wait for it.

        Raises what Redis and Postgres raise.
        """
        if self._next is None:
            self._next = asyncio.create_task(self._take_after(self._taking))
        return await asyncio.shield(self._next)

    async def _take_after(self, current: asyncio.Task[Snapshot] | None) -> Snapshot:
        if current:
            await asyncio.wait((current,))
        self._taking, self._next = self._next, None
        return await self._take()

    async def _take(self) -> Snapshot:
        position = await self._sources.events.position(self.run_id)  # before anything is read from Postgres
        pool = self._sources.pool
        async with pool.acquire() as conn, conn.transaction(isolation="repeatable_read", readonly=True):
            found = await self._read(conn)
        edge = await Edge.find(self._sources.events, self.run_id, position=position, included=found.included)
        text = message_text("snapshot", position if edge.is_clear else None, found.content)
        return Snapshot(edge=edge, text=text, is_final=found.is_final)

    @abstractmethod
    async def _read(self, conn: Connection) -> Reading:
        """What a snapshot holds."""

    async def page(self, *, after: str, count: int) -> list[StreamedEvent]:
        """What follows a position that the log does not have; raises `EventsLost` and `InvalidInput`."""
        return await self._sources.events.read(self.run_id, after=after, count=count)

    async def is_final(self) -> bool:
        """Whether nothing more will come, as Postgres has it now."""
        return False

    def close(self) -> None:
        """Follows nothing more."""
        self._sources.tails.leave(self.run_id, self)
        for task in (self._starting, self._taking, self._next):
            if task:
                task.cancel()


class RunChannel(Channel):
    """One run: its events, and the run with its targets counted as a snapshot."""

    def __init__(self, sources: Sources, run_id: RunId) -> None:
        super().__init__(sources, run_id)
        self._id = run_id

    async def _read(self, conn: Connection) -> Reading:
        run = await runs.get_run(conn, self._id)
        counts = await target_counts.count_by_state(conn, self._id)
        return Reading(
            content={"run": ShownRun.model_validate(run).model_dump(mode="json"), "counts": counts},
            included=await fetch_recent_event_ids(conn, self._id),
            is_final=is_finished(run.state),
        )

    async def is_final(self) -> bool:
        """Whether the run has ended, as Postgres has it now."""
        async with self._sources.pool.acquire() as conn:
            return is_finished((await runs.get_run(conn, self._id)).state)
