"""One process's part in a service's consumer group: reading, holding, finishing and handing back deliveries.

A delivery is held by renewing its idle time; one that is idle for a lease is taken over by another consumer. The
delivery count is the fence: whoever lost a delivery cannot finish it for its successor.

Nothing here runs handlers or knows Postgres. Errors of Redis go to the caller, except that a group which Redis lost
is made again.
"""

from __future__ import annotations

import os
import secrets
import socket
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import ResponseError

from ..domain.operation import Service
from .groups import ensure_group
from .keys import GROUP, ServiceKeys
from .script import Argument, Script

HANDED_BACK = "handed-back"
"""The name in the group that entries wait under between a consumer that left and the next one."""

MAX_DUE = 1000
"""Most delayed entries that one tick brings back; the next tick goes on."""

FINISHED_AT_ONCE = 200
"""Deliveries that one script finishes: few enough that nobody waits for it."""

_TAKE = Script.read("lanes", "take")
_FINISH = Script.read("lanes", "finish")
_TICK = Script.read("lanes", "tick")
_LEAVE = Script.read("leave")


def consumer_name() -> str:
    """A name that no other process, and no earlier life of this one, has: host, process, nonce."""
    return f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(4)}"


@dataclass(frozen=True)
class Delivery:
    """An entry as it was delivered to this consumer; `count` is its delivery count, which fences it."""

    entry_id: str
    count: int
    body: bytes


@dataclass(frozen=True, kw_only=True)
class Finish:
    """What becomes of a delivery. `item` is its command, as it is delayed, or kept as a dead letter."""

    delivery: Delivery
    outcome: str  # done | delay | dead
    item: bytes
    delay_seconds: float = 0
    error: str = ""


@dataclass(frozen=True, kw_only=True)
class Tick:
    """What a tick found. `lost` deliveries belong to others now; `taken` are to be run by this consumer.

    While `is_quarantine`, this consumer reads nothing and runs what it is given alone.
    """

    now_ms: int  # of the Redis server
    due: int
    lost: tuple[str, ...]
    taken: tuple[Delivery, ...]
    is_quarantine: bool


class Consumer:
    """A member of the service's group. `reader` is a client of its own: its connection is busy while it waits.

    `on_lost` is called where Redis had lost the group: it may have lost more.
    """

    def __init__(
        self,
        *,
        service: Service,
        redis: Redis,
        reader: Redis,
        lease_seconds: float,
        max_deliveries: int,
        on_lost: Callable[[], object] = bool,
    ) -> None:
        self.name = consumer_name()
        self._service = service
        self._keys = ServiceKeys(service)
        self.health_key = f"{self._keys.health}:{self.name}"
        self._redis = redis
        self._reader = reader
        self._lease_ms = int(lease_seconds * 1000)
        self._max_deliveries = max_deliveries
        self._on_lost = on_lost

    async def ensure_group(self) -> None:
        """Makes the group where it is not there."""
        await ensure_group(self._redis, self._service)

    async def _regain_group(self) -> None:
        await self.ensure_group()
        self._on_lost()

    async def read(self, *, count: int, block_seconds: float) -> list[Delivery]:
        """Up to `count` new entries in fair order, waiting up to `block_seconds` for the first.

        Must not be cancelled: its reply would be lost until the next tick finds it.
        """
        try:
            taken: list[Any] = await _TAKE.run(self._reader, [self._keys.commands], [GROUP, self.name, count])
            if taken:
                return [Delivery(entry_id.decode(), 1, fields[1]) for entry_id, fields in taken]
            block_ms = max(int(block_seconds * 1000), 1)  # 0 would wait for ever
            answer: Any = await self._reader.xreadgroup(  # pyright: ignore
                GROUP, self.name, {self._keys.commands: ">"}, count=count, block=block_ms
            )
        except ResponseError as error:
            if not _is_group_lost(error):
                raise
            await self._regain_group()
            return []
        entries: list[tuple[bytes, dict[bytes, bytes]]] = answer[0][1] if answer else []
        return [Delivery(entry_id.decode(), 1, fields[b"command"]) for entry_id, fields in entries]

    async def tick(self, held: Mapping[str, Delivery], *, free: int) -> Tick:
        """Brings back what is due, renews what is `held`, takes over up to `free` entries that are idle."""
        keys = [self._keys.commands, self._keys.quarantine]
        args: list[Argument] = [GROUP, self.name, self._lease_ms, free, self._max_deliveries, MAX_DUE]
        for delivery in held.values():
            args += [delivery.entry_id, delivery.count]
        try:
            answer: Any = await _TICK.run(self._redis, keys, args)
        except ResponseError as error:
            if not _is_group_lost(error):
                raise
            await self._regain_group()
            return Tick(now_ms=0, due=0, lost=tuple(held), taken=(), is_quarantine=False)
        now_ms, due, lost, taken, is_quarantine = answer
        return Tick(
            now_ms=now_ms,
            due=due,
            lost=tuple(entry_id.decode() for entry_id in lost),
            taken=tuple(Delivery(entry_id.decode(), count, body) for entry_id, count, body in taken),
            is_quarantine=bool(is_quarantine),
        )

    async def finish(self, finishes: Sequence[Finish]) -> list[bool]:
        """Finishes deliveries; false for each that is not this consumer's any more."""
        keys = [self._keys.commands, self._keys.dead_letters]
        finished: list[bool] = []
        for start in range(0, len(finishes), FINISHED_AT_ONCE):
            batch = finishes[start : start + FINISHED_AT_ONCE]
            args = [argument for finish in batch for argument in self._finish_args(finish)]
            try:
                answers: list[int] = await _FINISH.run(self._redis, keys, [GROUP, self.name, *args])
            except ResponseError as error:
                if not _is_group_lost(error):
                    raise
                answers = [0] * len(batch)
            finished += map(bool, answers)
        return finished

    @staticmethod
    def _finish_args(finish: Finish) -> list[Argument]:
        return [
            finish.delivery.entry_id,
            finish.delivery.count,
            finish.outcome,
            finish.item,
            max(int(finish.delay_seconds * 1000), 0),
            finish.error,
        ]

    async def record_health(self, facts: str, *, seconds: float) -> None:
        """Keeps `facts` of this process where operators find them, for so long."""
        await self._redis.set(self.health_key, facts, px=int(seconds * 1000))

    async def hand_back(self, deliveries: Sequence[Delivery]) -> None:
        """Gives deliveries that were not started to others, at once."""
        if deliveries:
            await self._leave([delivery.entry_id for delivery in deliveries])

    async def leave(self) -> int:
        """Hands back all that is still held, for others to take over at once, and leaves the group; gives how many."""
        return await self._leave([])

    async def _leave(self, entry_ids: Sequence[str]) -> int:
        keys = [self._keys.commands, self._keys.quarantine]
        try:
            return int(await _LEAVE.run(self._redis, keys, [GROUP, self.name, HANDED_BACK, *entry_ids]))
        except ResponseError as error:
            if not _is_group_lost(error):
                raise
            return 0


def _is_group_lost(error: Exception) -> bool:
    # UNBLOCKED: the stream was deleted under a waiting read
    return isinstance(error, ResponseError) and ("NOGROUP" in str(error) or str(error).startswith("UNBLOCKED"))
