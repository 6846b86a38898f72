"""What operators do to a service's command streams: take out what waits, drop dead letters, trim what is finished.

    async for purged in Operating(redis).purge(Service.CAMPAIGNS, type="prepare_target"):
        ...

This is the part of it in Redis. Postgres knows what was accepted, so whoever calls this also says there what became
of the operations; until then the relay brings back what was taken out.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from redis.asyncio import Redis

from ..domain.ids import OperationId, RunId
from ..domain.operation import Service
from ..errors import InvalidInput, Problem
from .keys import GROUP, ServiceKeys
from .script import Argument, Script

AT_ONCE = 500
"""Commands that one script looks at: few enough that nobody waits for it."""

TRIMMED_AT_ONCE = 10_000

_PURGE = Script.read("lanes", "purge")
_TRIM = Script.read("trim")

_STREAM_ID = re.compile(r"(\d{1,20})(?:-(\d{1,20}))?")


def parse_stream_id(text: str, *, field: str = "") -> str:
    """A stream id as Redis writes it, `<ms>-<sequence>`; the sequence may be left out. Raises `InvalidInput`."""
    match = _STREAM_ID.fullmatch(text)
    if match and int(match[1]) < 2**64 and int(match[2] or 0) < 2**64:
        return f"{int(match[1])}-{int(match[2] or 0)}"
    message = f"{text!r} is no id of a stream's entry, such as 1772355600000-0"
    raise InvalidInput(message, [Problem(message, path=field)] if field else ())


@dataclass(frozen=True, kw_only=True)
class Purged:
    """A command that was taken out before it was delivered; a request has no operation in Postgres."""

    operation_id: OperationId
    type: str
    is_request: bool


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


class Operating:
    """Acts on the command streams of all services."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def purge(
        self,
        service: Service,
        *,
        type: str | None = None,  # noqa: A002
        run_id: RunId | None = None,
        dry_run: bool = False,
    ) -> AsyncIterator[list[Purged]]:
        """Takes out commands that no worker was given yet, on the stream, in lanes, delayed or behind an order key.

        Gives them in batches, as they are taken out; those behind them by an order key are let in. What comes while
        it runs may stay. A dry run takes nothing out.
        """
        walk = _Walk(self._redis, service, type or "", str(run_id or ""), remove=not dry_run)
        seen: set[OperationId] = set()
        async for batch in walk.batches():
            fresh = {each.operation_id: each for each in batch if each.operation_id not in seen}
            seen.update(fresh)
            if fresh:
                yield list(fresh.values())

    async def remove_dead_letters(self, service: Service, entry_ids: Sequence[str]) -> int:
        """Removes entries of the dead-letter stream; gives how many were there."""
        if not entry_ids:
            return 0
        return int(await self._redis.xdel(ServiceKeys(service).dead_letters, *entry_ids))  # pyright: ignore

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


class _Walk:
    """One purge through all places where commands wait; the order of the phases is told in `scripts/purge.lua`."""

    def __init__(self, redis: Redis, service: Service, type: str, run_id: str, *, remove: bool) -> None:  # noqa: A002
        self._redis = redis
        self._keys = [ServiceKeys(service).commands]
        self._args: list[Argument] = [GROUP, f"purge-{secrets.token_hex(4)}", int(remove), type, run_id, AT_ONCE]

    async def batches(self) -> AsyncIterator[list[Purged]]:
        """What each call took out."""
        for phase in ("held", "delayed"):
            async for batch in self._phase(phase):
                yield batch
        _, lanes = await _PURGE.run(self._redis, self._keys, [*self._args, "lanes", ""])
        for tenant, run in zip(lanes[::2], lanes[1::2], strict=True):
            async for batch in self._phase("lane", tenant, run):
                yield batch
        async for batch in self._phase("stream"):
            yield batch

    async def _phase(self, phase: str, *lane: bytes) -> AsyncIterator[list[Purged]]:
        cursor: Argument = ""
        while True:
            answer: Any = await _PURGE.run(self._redis, self._keys, [*self._args, phase, cursor, *lane])
            cursor, found = answer
            yield [
                Purged(
                    operation_id=OperationId(UUID(found[index].decode())),
                    type=found[index + 1].decode(),
                    is_request=bool(found[index + 2]),
                )
                for index in range(0, len(found), 3)
            ]
            if not cursor:
                return
