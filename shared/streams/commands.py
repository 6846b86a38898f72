"""Commands on their services' streams: appending once, what Redis holds, and how deep the streams are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from redis.asyncio import Redis

from ..domain.ids import OperationId
from ..domain.operation import Service
from .entry_ids import parse_stream_id
from .envelope import Envelope
from .keys import GROUP, ServiceKeys
from .script import Argument, Script

DEDUPE_KEPT_SECONDS = 7 * 24 * 3600
"""How long Redis remembers that a dedupe key was appended. Postgres remembers it for good."""

AT_ONCE = 200
"""Commands that one script appends: few enough that nobody waits for it."""

TRIMMED_AT_ONCE = 10_000

_APPEND = Script.read("lanes", "append")
_DEPTH = Script.read("lanes", "depth")
_TRIM = Script.read("trim")
_TIDY = Script.read("tidy")


@dataclass(frozen=True, kw_only=True)
class Appended:
    """The operation that a dedupe key stands for (None for a request), and whether this call appended it."""

    operation_id: OperationId | None
    is_new: bool


@dataclass(frozen=True, kw_only=True)
class Depth:
    """How much a service has before it; `undelivered`, `pending` and `due`, with the age, are what to scale by."""

    undelivered: int  # on the stream and in the lanes before it
    pending: int
    due: int  # delayed until a time that has come
    delayed: int
    held: int  # behind another command of their order key
    dead_letters: int
    oldest_age_seconds: float  # of the oldest entry that is not finished


@dataclass(frozen=True, kw_only=True)
class Trimmed:
    """What trimming left: all from the entry `kept_from` on, which is earlier than `wanted` where a group is behind.

    `held_by` is the group that has not acknowledged something before `wanted`; None where none is behind.
    """

    trimmed: int
    wanted: str
    kept_from: str
    held_by: str | None
    length: int


class CommandStreams:
    """The command streams of all services."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def append(self, envelopes: Sequence[Envelope], *, again: bool = False) -> list[Appended]:
        """Appends each command once: a dedupe key that was appended before gives the first entry.

        `again` is the relay's: Postgres still waits for these commands, so each that Redis does not hold is
        appended whatever was appended before. Raises what Redis raises, then any of them may be appended or not.
        """
        appended: dict[int, Appended] = {}
        for service in {envelope.service for envelope in envelopes}:
            places = [place for place, envelope in enumerate(envelopes) if envelope.service is service]
            for start in range(0, len(places), AT_ONCE):
                batch = places[start : start + AT_ONCE]
                keys = [ServiceKeys(service).commands, *(_dedupe_key(envelopes[place]) for place in batch)]
                items = [envelopes[place].to_item() for place in batch]
                answers: list[Any] = await _APPEND.run(
                    self._redis, keys, [GROUP, DEDUPE_KEPT_SECONDS, int(again), *items]
                )
                appended |= {place: _appended(*answer) for place, answer in zip(batch, answers, strict=True)}
        return [appended[place] for place in range(len(envelopes))]

    async def missing(self, service: Service, operation_ids: Sequence[OperationId]) -> list[OperationId]:
        """Those of the operations that Redis does not hold: neither on the stream, nor pending, nor delayed."""
        if not operation_ids:
            return []
        members = [str(operation_id) for operation_id in operation_ids]
        known: list[int] = await self._redis.smismember(ServiceKeys(service).open, members)  # pyright: ignore
        return [operation_id for operation_id, held in zip(operation_ids, known, strict=True) if not held]

    async def depth(self, service: Service) -> Depth:
        """How much the service has before it."""
        keys = ServiceKeys(service)
        answer: list[int] = await _DEPTH.run(self._redis, [keys.commands, keys.dead_letters], [GROUP, 10_000])
        unread, waiting, held, pending, delayed, due, dead_letters, age_ms = answer
        return Depth(
            undelivered=unread + waiting,
            pending=pending,
            due=due,
            delayed=delayed,
            held=held,
            dead_letters=dead_letters,
            oldest_age_seconds=age_ms / 1000,
        )

    async def trim(
        self, service: Service, *, before_entry: str | None = None, older_than_seconds: float | None = None
    ) -> Trimmed:
        """Drops finished entries before an id, or older than an age by the clock of Redis.

        Never drops what a group has not acknowledged, nor the entry that it was given last: see `Trimmed`.
        """
        keys = [ServiceKeys(service).commands]
        age_ms = int((older_than_seconds or 0) * 1000)
        args: list[Argument] = [parse_stream_id(before_entry) if before_entry else "", age_ms]
        total = 0
        for most in (TRIMMED_AT_ONCE, 0):
            while True:
                trimmed, kept_from, wanted, held_by, length = await _TRIM.run(self._redis, keys, [*args, most])
                total += trimmed
                args[0] = wanted.decode()  # by age: the same moment all the way
                if not (most and trimmed):
                    break
        return Trimmed(
            trimmed=total,
            wanted=wanted.decode(),
            kept_from=kept_from.decode(),
            held_by=held_by.decode() or None,
            length=length,
        )

    async def tidy(self, service: Service, *, retention_seconds: float, consumer_idle_seconds: float) -> int:
        """Trims what is finished and older than the retention; gives the number.

        Ends consumers that hold nothing and were not heard of for `consumer_idle_seconds`.
        """
        trimmed = await self.trim(service, older_than_seconds=retention_seconds)
        await _TIDY.run(self._redis, [ServiceKeys(service).commands], [GROUP, int(consumer_idle_seconds * 1000)])
        return trimmed.trimmed


def _dedupe_key(envelope: Envelope) -> str:
    keys = ServiceKeys(envelope.service)
    return keys.commands if envelope.is_request else keys.dedupe(envelope.dedupe_key)


def _appended(operation: bytes, is_new: int) -> Appended:
    operation_id = OperationId(UUID(operation.decode())) if operation != b"-" else None
    return Appended(operation_id=operation_id, is_new=bool(is_new))
