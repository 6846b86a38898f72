"""The Redis client of a process: one server, a Redis Cluster, or the master that Sentinels name.

    async with open_redis(settings.redis_url.get_secret_value()) as redis:
        ...

| address | what it is |
| --- | --- |
| `redis://[user:password@]host:port/db`, `rediss://…`, `unix://…` | one server |
| `redis+cluster://[user:password@]host:port[,host:port…]` | a cluster, by some of its nodes |
| `redis+sentinel://[user:password@]host:port[,host:port…]/name[/db]` | the master `name`, by its Sentinels |

`rediss+cluster` and `rediss+sentinel` speak TLS. Commands are never repeated behind our back: a lost reply raises, and
the caller decides.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, cast
from urllib.parse import unquote, urlsplit

from arq.connections import ArqRedis
from redis.asyncio import BlockingConnectionPool, Redis, RedisCluster, Sentinel
from redis.asyncio.cluster import ClusterNode
from redis.asyncio.sentinel import SentinelConnectionPool
from redis.exceptions import (
    BusyLoadingError,
    ConnectionError,  # noqa: A004
    ReadOnlyError,
    RedisClusterException,
    TimeoutError,  # noqa: A004
)

from ..errors import InvalidSettings

SOCKET_TIMEOUT_SECONDS = 15.0
"""Longest wait for one answer; every blocking command asks for less (see `MAX_BLOCK_SECONDS`)."""

MAX_BLOCK_SECONDS = 5.0
"""Longest `BLOCK` of one command: well under the socket's timeout, or an idle stream would look like a dead server."""

UNAVAILABLE: tuple[type[Exception], ...] = (ConnectionError, TimeoutError, BusyLoadingError, ReadOnlyError, OSError)
"""What Redis raises while it is away, starting, or failing over."""

SENTINEL_TIMEOUT_SECONDS = 2.0
"""How long one Sentinel may take to say who is master before the next is asked."""

_CONNECTION: dict[str, Any] = {
    "socket_timeout": SOCKET_TIMEOUT_SECONDS,
    "socket_connect_timeout": SOCKET_TIMEOUT_SECONDS,
    "socket_keepalive": True,
    "decode_responses": False,
}


_LOGIN = {"username", "password"}


class _Cluster(RedisCluster):
    """A cluster that is away says so like a server that is away."""

    async def initialize(self) -> RedisCluster:
        try:
            return await super().initialize()
        except RedisClusterException as error:
            raise ConnectionError(str(error)) from error


@dataclass(frozen=True, kw_only=True)
class _Address:
    kind: str  # cluster | sentinel
    hosts: list[tuple[str, int]]
    path: list[str]
    credentials: dict[str, Any]

    @classmethod
    def parse(cls, url: str) -> _Address:
        parts = urlsplit(url)
        scheme, _, kind = parts.scheme.partition("+")
        login, _, hosts = parts.netloc.rpartition("@")
        user, _, password = login.partition(":")
        try:
            named = [urlsplit(f"//{host}") for host in hosts.split(",")]
            found = [(host.hostname or "", host.port or (26379 if kind == "sentinel" else 6379)) for host in named]
        except ValueError:
            found = []
        path = [part for part in parts.path.split("/") if part]
        if not found or not all(host for host, _ in found):
            raise InvalidSettings(f"OCTOBATCH_REDIS_URL: {kind} needs host:port[,host:port…]")
        if kind == "sentinel" and not (path and all(part.isdigit() for part in path[1:])):
            raise InvalidSettings(
                "OCTOBATCH_REDIS_URL: a Sentinel address ends with the master's name, then a db number"
            )
        return cls(
            kind=kind,
            hosts=found,
            path=path,
            credentials={
                "username": unquote(user) or None,
                "password": unquote(password) or None,
                **({"ssl": True} if scheme == "rediss" else {}),
            },
        )


@asynccontextmanager
async def open_redis(url: str, *, max_connections: int = 50) -> AsyncIterator[Redis]:
    """A client whose connections are made when needed and closed at the end; its answers are bytes.

    With one server it has at most `max_connections`, and more concurrent callers wait for a free one. Raises
    `InvalidSettings` where the address is none.
    """
    client = _client(url, max_connections)
    try:
        yield client
    finally:
        await _close(client)


def _client(url: str, max_connections: int) -> Redis:
    if "+" not in urlsplit(url).scheme:
        pool = BlockingConnectionPool.from_url(
            url, max_connections=max_connections, timeout=SOCKET_TIMEOUT_SECONDS, **_CONNECTION
        )
        return Redis.from_pool(pool)
    address = _Address.parse(url)
    if address.kind == "cluster":
        nodes = [ClusterNode(host, port) for host, port in address.hosts]
        cluster = _Cluster(  # pyright: ignore[reportAbstractUsage]
            startup_nodes=nodes, cluster_error_retry_attempts=0, **address.credentials, **_CONNECTION
        )
        return cast("Redis", cluster)  # the commands that we use are the same
    return _master(address, Redis)


def _master(address: _Address, redis_class: type[Redis]) -> Any:
    options = {**address.credentials, **_CONNECTION}
    sentinel = Sentinel(
        address.hosts, sentinel_kwargs={"socket_timeout": SENTINEL_TIMEOUT_SECONDS, "ssl": options.get("ssl", False)}
    )
    db = int(address.path[1]) if len(address.path) > 1 else 0
    return sentinel.master_for(address.path[0], redis_class=redis_class, db=db, **options)


@asynccontextmanager
async def open_arq_redis(url: str, redis: Redis, *, key: str) -> AsyncIterator[ArqRedis]:
    """What arq asks about its server when it starts: of a cluster, the node that has `key`."""
    arq_redis: ArqRedis
    if isinstance(redis, RedisCluster):
        node = cast("ClusterNode", redis.get_node_from_key(key))
        options: dict[str, Any] = {name: value for name, value in node.connection_kwargs.items() if name in _LOGIN}
        arq_redis = ArqRedis(host=node.host, port=node.port, **options, **_CONNECTION)
    elif "+" in urlsplit(url).scheme:
        arq_redis = _master(_Address.parse(url), ArqRedis)
    else:
        arq_redis = ArqRedis.from_url(url)
    try:
        yield arq_redis
    finally:
        await _close(arq_redis)


async def _close(client: Redis) -> None:
    if isinstance(client, RedisCluster):
        await client.aclose()
        return
    await client.aclose(close_connection_pool=True)
    if isinstance(client.connection_pool, SentinelConnectionPool):
        sentinel = cast("Any", client.connection_pool.sentinel_manager)
        for each in sentinel.sentinels:
            await each.aclose(close_connection_pool=True)
