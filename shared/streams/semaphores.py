"""Semaphores that all workers share: fair leases that are renewed while they are held, each with a fencing token.

    semaphore = Semaphore(redis, "installation:1", leases=100)
    async with semaphore.held(wait_seconds=0.5) as lease:      # raises `SemaphoreTaken`
        ...

Whoever came first is served first. A holder that dies loses its lease when it ends; what it does after that can be
told by its fencing token, which is smaller than its successor's.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from uuid import uuid4

from redis.asyncio import Redis
from redis.exceptions import RedisError

from ..errors import OctobatchError
from .keys import PREFIX
from .script import Script

LEASE_SECONDS = 30.0
ASK_SECONDS = 0.05
"""How soon an asker asks again at first; later after a quarter of the time that it waited, lest many hold up all."""

PATIENCE_SECONDS = 2.0
"""After so long an asker that is not heard of loses its place."""

_ACQUIRE = Script.read("semaphore_acquire")
_RENEW = Script.read("semaphore_renew")


class SemaphoreTaken(OctobatchError):
    """All leases are held; `before` others were asking first."""

    def __init__(self, name: str, before: int) -> None:
        super().__init__(f"all leases of {name} are taken, and {before} wait for one")
        self.before = before


@dataclass(frozen=True)
class Lease:
    """One of a semaphore's leases. `fence` grows from holder to holder."""

    holder: str
    fence: int


class Semaphore:
    """`leases` of them at most are held at any time, by all processes together."""

    def __init__(self, redis: Redis, name: str, *, leases: int, lease_seconds: float = LEASE_SECONDS) -> None:
        self._redis = redis
        self._name = name
        self._leases = leases
        self._lease_ms = int(lease_seconds * 1000)
        stem = f"{PREFIX}:{{semaphore:{name}}}"
        self._keys = [f"{stem}:{part}" for part in ("holders", "queue", "askers", "fence")]

    async def acquire(self, *, wait_seconds: float = 0) -> Lease:
        """A lease, waiting so long for it at most; raises `SemaphoreTaken`, and then keeps no place in the queue."""
        holder = uuid4().hex
        now = asyncio.get_running_loop().time
        began = now()
        try:
            while True:
                fence, before = await _ACQUIRE.run(
                    self._redis, self._keys, [holder, self._leases, self._lease_ms, int(PATIENCE_SECONDS * 1000)]
                )
                if fence:
                    return Lease(holder, fence)
                waited = now() - began
                if waited >= wait_seconds:
                    break
                pause = min(max(ASK_SECONDS, waited / 4), PATIENCE_SECONDS / 4)
                await asyncio.sleep(min(pause, wait_seconds - waited))
        except BaseException:
            await self._forget(holder)
            raise
        await self._forget(holder)
        raise SemaphoreTaken(self._name, before)

    async def count_held(self) -> int:
        """How many leases are held at this moment."""
        now_seconds, microseconds = await self._redis.time()  # pyright: ignore[reportGeneralTypeIssues]
        now_ms = now_seconds * 1000 + microseconds // 1000
        return await self._redis.zcount(self._keys[0], now_ms, "+inf")

    async def renew(self, lease: Lease) -> bool:
        """Holds the lease for its length from now; false where it was over."""
        return bool(await _RENEW.run(self._redis, self._keys[:3], [lease.holder, self._lease_ms]))

    async def release(self, lease: Lease) -> bool:
        """Gives it back; false where it was over."""
        return bool(await _RENEW.run(self._redis, self._keys[:3], [lease.holder, 0]))

    @asynccontextmanager
    async def held(self, *, wait_seconds: float = 0) -> AsyncIterator[Lease]:
        """A lease that is renewed for as long as the block runs; raises what `acquire` does.

        A block whose lease was lost all the same (Redis was away) is not interrupted: what it must not do late, it has
        to fence.
        """
        lease = await self.acquire(wait_seconds=wait_seconds)
        renewing = asyncio.create_task(self._keep(lease))
        try:
            yield lease
        finally:
            renewing.cancel()
            await asyncio.gather(renewing, return_exceptions=True)
            await self._forget(lease.holder)

    async def _keep(self, lease: Lease) -> None:
        while True:
            await asyncio.sleep(self._lease_ms / 3000)
            try:
                await self.renew(lease)
            except (RedisError, OSError):
                continue  # it ends by itself, or is renewed when Redis is back in time

    async def _forget(self, holder: str) -> None:
        try:
            await _RENEW.run(self._redis, self._keys[:3], [holder, 0])
        except (RedisError, OSError):
            return  # it ends by itself
