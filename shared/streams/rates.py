"""How often somebody may ask: token buckets in Redis, shared by all processes, one round trip a request.

    taken = await RateLimits(redis).take("key:3f…", rate=100, burst=200)
    if not taken.is_allowed: ...        # there is a token again in taken.seconds

Time is the Redis server's.
"""

from __future__ import annotations

from dataclasses import dataclass

from redis.asyncio import Redis

from .keys import PREFIX
from .script import Script

_TAKE = Script.read("rate_take")


@dataclass(frozen=True, kw_only=True)
class Taken:
    """What became of a request for a token: `seconds` until the next one where none was left, else until it is full."""

    is_allowed: bool
    left: int
    seconds: float


class RateLimits:
    """The buckets of everybody who asks."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def take(self, identity: str, *, rate: float, burst: int) -> Taken:
        """Takes a token from the bucket, which holds `burst` and is filled by `rate` a second."""
        allowed, left, milliseconds = await _TAKE.run(self._redis, [f"{PREFIX}:{{rate:{identity}}}"], [rate, burst])
        return Taken(is_allowed=bool(allowed), left=left, seconds=milliseconds / 1000)
