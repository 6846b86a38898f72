"""The Redis client of a process.

    async with open_redis(settings.redis_url.get_secret_value()) as redis:
        ...

Commands are never repeated behind our back: a lost reply raises, and the caller decides.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from redis.asyncio import BlockingConnectionPool, Redis
from redis.exceptions import BusyLoadingError, ConnectionError, ReadOnlyError, TimeoutError  # noqa: A004

SOCKET_TIMEOUT_SECONDS = 15.0
"""Longest wait for one answer; every blocking command asks for less (see `MAX_BLOCK_SECONDS`)."""

MAX_BLOCK_SECONDS = 5.0
"""Longest `BLOCK` of one command: well under the socket's timeout, or an idle stream would look like a dead server."""

UNAVAILABLE: tuple[type[Exception], ...] = (ConnectionError, TimeoutError, BusyLoadingError, ReadOnlyError, OSError)
"""What Redis raises while it is away, starting, or failing over."""


@asynccontextmanager
async def open_redis(url: str, *, max_connections: int = 50) -> AsyncIterator[Redis]:
    """A client of at most `max_connections` connections, made when needed, closed at the end.

    More concurrent callers wait for a free connection. Answers are bytes.
    """
    pool = BlockingConnectionPool.from_url(
        url,
        max_connections=max_connections,
        timeout=SOCKET_TIMEOUT_SECONDS,
        socket_timeout=SOCKET_TIMEOUT_SECONDS,
        socket_connect_timeout=SOCKET_TIMEOUT_SECONDS,
        socket_keepalive=True,
        decode_responses=False,
    )
    client = Redis(connection_pool=pool)
    try:
        yield client
    finally:
        await client.aclose(close_connection_pool=True)
