"""What is appended to the streams of events, read once for all that follow it in this process.

    async with open_tails(events, together=True) as tails:
        position = await tails.follow(run_id, channel)   # channel.deliver(…) is called with all that comes after it
        ...
        tails.leave(run_id, channel)

All streams that are followed are read by one command on one connection, whatever their number and that of their
followers. On Redis Cluster they are on several nodes, so that each has a command and a connection of its own.
Where Redis is away it is asked again until it is back, from where it was; a stream that has lost its position by then
is told to its followers as lost, and not followed any more.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Protocol

import structlog
from redis.exceptions import RedisError

from .events import Followed, Following, RunEvents, StreamedEvent

log = structlog.stdlib.get_logger(__name__)

BLOCK_SECONDS = 1.0
"""How long one command waits, and so how long a loss that no event follows may go unnoticed."""

AGAIN_SECONDS = 0.5
"""Until Redis is asked again after it was away."""


class Follower(Protocol):
    """Is told of events; it must not wait."""

    def deliver(self, events: Sequence[StreamedEvent]) -> None:
        """Takes what was appended, in order, each once."""
        ...

    def lost(self) -> None:
        """Is told that the stream has a gap here, and that no more comes: take a snapshot and follow again."""
        ...


@dataclass
class _Stream:
    position: str
    followers: list[Follower] = field(default_factory=list[Follower])


class Tails:
    """The newest ends of streams, for those who follow them."""

    def __init__(self, events: RunEvents, *, together: bool) -> None:
        self._events = events
        self._together = together
        self._readers: dict[Followed | str, _Reader] = {}

    async def follow(self, run_id: Followed, follower: Follower) -> str:
        """Delivers to `follower` all that comes after the position that is returned. Raises what Redis raises."""
        position = await self._events.position(run_id)
        reader = self._readers.setdefault(self._read_with(run_id), _Reader(self._events))
        return reader.add(run_id, position, follower)

    def leave(self, run_id: Followed, follower: Follower) -> None:
        """Delivers nothing more; changes nothing where the follower was told of a loss."""
        if reader := self._readers.get(self._read_with(run_id)):
            reader.remove(run_id, follower)

    def _read_with(self, run_id: Followed) -> Followed | str:
        return "all" if self._together else run_id

    async def close(self) -> None:
        """Reads nothing more."""
        await asyncio.gather(*(reader.close() for reader in self._readers.values()))


class _Reader:
    """One task that reads several streams by one command, as long as there are any."""

    def __init__(self, events: RunEvents) -> None:
        self._events = events
        self._streams: dict[Followed, _Stream] = {}
        self._changed = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def add(self, run_id: Followed, position: str, follower: Follower) -> str:
        stream = self._streams.get(run_id)
        if stream is None:
            stream = self._streams[run_id] = _Stream(position)
            self._changed.set()
        stream.followers.append(follower)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._read_on())
        return stream.position

    def remove(self, run_id: Followed, follower: Follower) -> None:
        stream = self._streams.get(run_id)
        if stream and follower in stream.followers:
            stream.followers.remove(follower)
            if not stream.followers:
                del self._streams[run_id]
        if not self._streams:
            self._changed.set()

    async def close(self) -> None:
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _read_on(self) -> None:
        while self._streams:
            self._changed.clear()
            read = {run_id: stream.position for run_id, stream in self._streams.items()}
            try:
                following = await self._until_changed(read)
                # after reading: what is there now was there all the time, and with it everything behind it
                lost = await self._events.lost({run_id: read[run_id] for run_id in (following or read)})
            except (RedisError, OSError) as error:
                log.warning("events_not_read", streams=len(read), error=str(error))
                await asyncio.sleep(AGAIN_SECONDS)
            except Exception:  # nobody waits for this task, so its followers are to know
                log.exception("events_reader_failed", streams=len(read))
                await asyncio.sleep(AGAIN_SECONDS)
                self._deliver({}, set(self._streams))
            else:
                self._deliver(following, lost)

    async def _until_changed(self, read: dict[Followed, str]) -> dict[Followed, Following]:
        """What follows these positions; less where another stream is to be read too meanwhile."""
        reading = asyncio.create_task(self._events.read_together(read, block_seconds=BLOCK_SECONDS))
        changing = asyncio.create_task(self._changed.wait())
        try:
            await asyncio.wait((reading, changing), return_when=asyncio.FIRST_COMPLETED)
            return reading.result() if reading.done() else {}
        finally:
            reading.cancel()  # its connection is closed with it: nothing is read that another command waits for
            changing.cancel()
            await asyncio.gather(reading, changing, return_exceptions=True)

    def _deliver(self, following: dict[Followed, Following], lost: set[Followed]) -> None:
        for run_id in lost:
            if stream := self._streams.pop(run_id, None):
                for follower in stream.followers:
                    follower.lost()
        for run_id, found in following.items():
            if stream := self._streams.get(run_id):
                stream.position = found.position
                for follower in tuple(stream.followers) if found.events else ():
                    follower.deliver(found.events)


@asynccontextmanager
async def open_tails(events: RunEvents, *, together: bool) -> AsyncIterator[Tails]:
    """Tails that read nothing more at the end; `together` where all streams are on one server."""
    tails = Tails(events, together=together)
    try:
        yield tails
    finally:
        await tails.close()
