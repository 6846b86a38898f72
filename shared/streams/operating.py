"""What operators do to a service's command streams: take out what waits, and drop dead letters.

    async for purged in Operating(redis).purge(Service.CAMPAIGNS, type="prepare_target"):
        ...

This is the part of it in Redis. Postgres knows what was accepted, so whoever calls this also says there what became
of the operations; until then the relay brings back what was taken out.
"""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from redis.asyncio import Redis

from ..domain.ids import OperationId, RunId
from ..domain.operation import Service
from .keys import GROUP, ServiceKeys
from .script import Argument, Script

AT_ONCE = 500
"""Commands that one script looks at: few enough that nobody waits for it."""

_PURGE = Script.read("lanes", "purge")


@dataclass(frozen=True, kw_only=True)
class Purged:
    """A command that was taken out before it was delivered; a request has no operation in Postgres."""

    operation_id: OperationId
    type: str
    is_request: bool


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
