"""A lock that lets one process at a time do a periodic job, when it is due."""

from __future__ import annotations

import secrets

from redis.asyncio import Redis

from .script import Script

LEASE_SECONDS = 10.0
"""After which the lock of a process that died in the job is free."""

_BEGIN = Script.read("begin_period")
_HOLD = Script.read("hold_period")


class Period:
    """The lock `key`, as one process sees it. The Redis server's clock counts."""

    def __init__(self, redis: Redis, key: str) -> None:
        self._redis = redis
        self._key = key
        self._token = secrets.token_hex(8)

    async def begin(self) -> float:
        """0 where this process is to do the job now, else for how many seconds somebody else has the lock."""
        wait_ms: int = await _BEGIN.run(self._redis, [self._key], [self._token, int(LEASE_SECONDS * 1000)])
        return wait_ms / 1000

    async def hold(self, seconds: float) -> bool:
        """Keeps the lock so long; false where it was lost."""
        return bool(await _HOLD.run(self._redis, [self._key], [self._token, max(int(seconds * 1000), 1)]))
