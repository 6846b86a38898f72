"""The consumer group of a service's stream."""

from __future__ import annotations

from typing import Any

from redis.asyncio import Redis
from redis.exceptions import ResponseError

from ..domain.operation import Service
from .keys import GROUP, ServiceKeys
from .script import Script

_GROUP = Script.read("lanes", "group")


async def ensure_group(redis: Redis, service: Service) -> None:
    """Makes the group where it is not there."""
    await _GROUP.run(redis, [ServiceKeys(service).commands], [GROUP])


async def has_group(redis: Redis, service: Service) -> bool:
    """Whether the group is there; raises what Redis raises while it is away."""
    try:
        groups: Any = await redis.xinfo_groups(ServiceKeys(service).commands)
    except ResponseError as error:
        if "no such key" in str(error):
            return False
        raise
    return any(group["name"] == GROUP.encode() for group in groups)
