"""What operators see of a service's command streams: how deep, whose, since when, and what stands on them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import ResponseError

from ..domain.operation import Service
from ..errors import InvalidInput, NotFound, Unavailable
from .commands import CommandStreams, Depth
from .consumer import HANDED_BACK
from .entry_ids import moment_of
from .envelope import Envelope
from .keys import GROUP, ServiceKeys

ALIVE_SECONDS = 15.0


@dataclass(frozen=True, kw_only=True)
class Survey:
    """A service at a glance.

    `consumers` counts workers that are alive. `acknowledged` only grows: what it grew by in a time is the rate of
    completion.
    """

    service: Service
    depth: Depth
    consumers: int
    acknowledged: int


@dataclass(frozen=True, kw_only=True)
class ConsumerSeen:
    """A member of a group: how many entries it holds, and how long it was not heard of."""

    name: str
    pending: int
    idle_seconds: float

    @property
    def is_alive(self) -> bool:
        """Whether it was heard of lately: a worker is, several times a second."""
        return self.name != HANDED_BACK and self.idle_seconds < ALIVE_SECONDS


@dataclass(frozen=True, kw_only=True)
class GroupSeen:
    """A consumer group. `undelivered` counts entries of the stream that it was not given yet."""

    name: str
    undelivered: int
    pending: int
    last_delivered_id: str
    consumers: tuple[ConsumerSeen, ...]


@dataclass(frozen=True, kw_only=True)
class StreamSeen:
    """A command stream. `trimmed` entries were on it once and are not any more."""

    length: int
    trimmed: int
    first_entry_id: str | None
    last_entry_id: str | None
    groups: tuple[GroupSeen, ...]


@dataclass(frozen=True, kw_only=True)
class Entry:
    """An entry of a stream; `envelope` is None where it cannot be read, and `unreadable` tells why."""

    id: str
    envelope: Envelope | None
    unreadable: str = ""

    @property
    def at(self) -> datetime:
        """When it came onto the stream, by the clock of Redis."""
        return moment_of(self.id)


@dataclass(frozen=True, kw_only=True)
class PendingEntry:
    """An entry that a consumer was given and has not finished. `entry` is None where the stream has lost it."""

    id: str
    consumer: str
    idle_seconds: float
    deliveries: int
    entry: Entry | None


@dataclass(frozen=True, kw_only=True)
class DeadLetter:
    """A command that was given up, after so many deliveries of its last attempt."""

    entry: Entry
    error: str
    deliveries: int


class Inspection:
    """Reads the command streams of all services and changes nothing."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._commands = CommandStreams(redis)

    async def survey(self, service: Service) -> Survey:
        """The service at a glance."""
        depth = await self._commands.depth(service)
        stream = await self._stream(service)
        group = next(each for each in await self._groups(service) if each["name"] == GROUP.encode())
        unread = await self._undelivered(service, group)
        members = (await self._group(service, group)).consumers
        return Survey(
            service=service,
            depth=depth,
            consumers=sum(each.is_alive for each in members),
            acknowledged=max(stream["entries-added"] - unread - group["pending"], 0),
        )

    async def inspect(self, service: Service) -> StreamSeen:
        """The stream, its groups and their consumers."""
        await self._commands.depth(service)  # makes a stream that was never written to
        stream = await self._stream(service)
        groups = [await self._group(service, info) for info in await self._groups(service)]
        return StreamSeen(
            length=stream["length"],
            trimmed=max(stream["entries-added"] - stream["length"], 0),
            first_entry_id=_id_of(stream["first-entry"]),
            last_entry_id=_id_of(stream["last-entry"]),
            groups=tuple(groups),
        )

    async def _stream(self, service: Service) -> Mapping[str, Any]:
        return await self._redis.xinfo_stream(ServiceKeys(service).commands)

    async def _groups(self, service: Service) -> list[Mapping[str, Any]]:
        return await self._redis.xinfo_groups(ServiceKeys(service).commands)

    async def _group(self, service: Service, info: Mapping[str, Any]) -> GroupSeen:
        consumers: Any = await self._redis.xinfo_consumers(ServiceKeys(service).commands, info["name"])
        return GroupSeen(
            name=info["name"].decode(),
            undelivered=await self._undelivered(service, info),
            pending=info["pending"],
            last_delivered_id=info["last-delivered-id"].decode(),
            consumers=tuple(
                ConsumerSeen(name=each["name"].decode(), pending=each["pending"], idle_seconds=each["idle"] / 1000)
                for each in consumers
            ),
        )

    async def _undelivered(self, service: Service, group: Mapping[str, Any]) -> int:
        """The lag, counted where the server does not know it, as after a deletion by hand."""
        if group["lag"] is not None:
            return group["lag"]
        after, counted = f"({group['last-delivered-id'].decode()}", 0
        while found := await self._range(ServiceKeys(service).commands, after, "+", 1000):
            counted, after = counted + len(found), f"({found[-1][0].decode()}"
        return counted

    async def _range(self, key: str, first: str, last: str, count: int) -> list[tuple[bytes, dict[bytes, bytes]]]:
        answer: Any = await self._redis.xrange(key, first, last, count=count)
        return answer

    async def entries(self, service: Service, *, first: str = "-", last: str = "+", limit: int = 100) -> list[Entry]:
        """Entries of the stream in their order; `(` before an id leaves it out."""
        found = await self._range(ServiceKeys(service).commands, first, last, limit)
        return [_entry(entry_id, fields) for entry_id, fields in found]

    async def latest(self, service: Service, *, limit: int) -> list[Entry]:
        """The last entries of the stream, in their order."""
        found: Any = await self._redis.xrevrange(ServiceKeys(service).commands, count=limit)
        return [_entry(entry_id, fields) for entry_id, fields in reversed(found)]

    async def pending(self, service: Service, *, after: str | None = None, limit: int = 100) -> list[PendingEntry]:
        """What consumers hold, oldest entry first."""
        key = ServiceKeys(service).commands
        try:
            held: Any = await self._redis.xpending_range(key, GROUP, f"({after}" if after else "-", "+", limit)
        except ResponseError as error:
            if "NOGROUP" in str(error):
                return []
            raise
        async with self._redis.pipeline(transaction=False) as pipeline:
            for each in held:
                pipeline.xrange(key, each["message_id"], each["message_id"])
            found: list[Any] = await pipeline.execute()
        return [
            PendingEntry(
                id=each["message_id"].decode(),
                consumer=each["consumer"].decode(),
                idle_seconds=each["time_since_delivered"] / 1000,
                deliveries=each["times_delivered"],
                entry=_entry(*entries[0]) if entries else None,
            )
            for each, entries in zip(held, found, strict=True)
        ]

    async def dead_letters(
        self, service: Service, *, after: str | None = None, last: str = "+", limit: int = 100
    ) -> list[DeadLetter]:
        """What was given up, oldest first."""
        key = ServiceKeys(service).dead_letters
        found = await self._range(key, f"({after}" if after else "-", last, limit)
        return [_dead_letter(entry_id, fields) for entry_id, fields in found]

    async def dead_letter(self, service: Service, entry_id: str) -> DeadLetter:
        """One of them; raises `NotFound`."""
        found = await self._range(ServiceKeys(service).dead_letters, entry_id, entry_id, 1)
        if not found:
            raise NotFound("dead letter", entry_id)
        return _dead_letter(*found[0])

    async def last_dead_letter(self, service: Service) -> str | None:
        """The id of the one that came last."""
        found: Any = await self._redis.xrevrange(ServiceKeys(service).dead_letters, count=1)
        return found[0][0].decode() if found else None


def _dead_letter(entry_id: bytes, fields: Mapping[bytes, bytes]) -> DeadLetter:
    return DeadLetter(
        entry=_entry(entry_id, fields),
        error=fields.get(b"error", b"").decode(errors="replace"),
        deliveries=int(fields.get(b"deliveries", 0)),
    )


def _entry(entry_id: bytes, fields: Mapping[bytes, bytes]) -> Entry:
    try:
        return Entry(id=entry_id.decode(), envelope=Envelope.from_json(fields.get(b"command", b"")))
    except (InvalidInput, Unavailable) as error:
        return Entry(id=entry_id.decode(), envelope=None, unreadable=str(error))


def _id_of(entry: Any) -> str | None:
    return entry[0].decode() if entry else None
