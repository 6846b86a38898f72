"""Request and reply over a command stream, for commands that have no row in Postgres (tokens).

    answer = await requests.ask(Service.TOKENS, "mint_token", {"installation_id": 1}, timeout_seconds=10)

A lost request is not tried again by anybody but its asker: `ask` raises `Unavailable` after its timeout.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from redis.asyncio import Redis

from ..domain.operation import Service


class Requests:
    """Asks workers and waits for their answers. All waiting requests of a process share one connection."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def ask(
        self, service: Service, type: str, payload: Mapping[str, Any], *, timeout_seconds: float = 10
    ) -> dict[str, Any]:
        """The answer to the command `type`; raises `Unavailable` where none comes in time.

        An error answer is a result like any other: `{"error": {"type": …, "message": …}}`.
        """
        raise NotImplementedError
