"""Stores that are killed, emptied, set back or away: what was accepted is done all the same, once."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from redis.exceptions import ResponseError

from sandbox.embedded.servers import free_port
from sandbox.embedded.valkey import EmbeddedValkey, running_valkey
from shared.domain.ids import OperationId, RunId, new_id
from shared.domain.operation import Service
from shared.streams.commands import CommandStreams
from shared.streams.connection import open_redis
from shared.streams.keys import GROUP, ServiceKeys
from tests.faults.sizes import SLACK_SECONDS, TIMEOUT_SECONDS, size
from tests.worker_bench import Bench, bench_environment

pytestmark = pytest.mark.timeout(TIMEOUT_SECONDS)

KEYS = ServiceKeys(Service.CAMPAIGNS)
PASSWORD = "of-servers-that-follow-each-other"  # one for both: who is promoted is asked as the other was

Record = Callable[[str, object], None]


class Forwarder:
    """An address that leads to one server now and to another later, as a virtual one does in a failover."""

    def __init__(self) -> None:
        self.port = free_port()
        self.target_port = 0
        self._writers: set[asyncio.StreamWriter] = set()

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[Forwarder]:
        server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        try:
            yield self
        finally:
            server.close()
            self.lead_to(0)
            await server.wait_closed()

    def lead_to(self, port: int) -> None:
        """From now on; connections to where it led before are closed."""
        self.target_port = port
        for writer in self._writers:
            writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            there_reader, there_writer = await asyncio.open_connection("127.0.0.1", self.target_port)
            self._writers.add(there_writer)
            await asyncio.gather(self._pass_on(reader, there_writer), self._pass_on(there_reader, writer))
            self._writers.discard(there_writer)
        except OSError:
            writer.close()
        finally:
            self._writers.discard(writer)

    @staticmethod
    async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while content := await reader.read(65536):
                writer.write(content)
                await writer.drain()
        except OSError:
            pass
        finally:
            writer.close()


@pytest.fixture
def own_valkey(tmp_path: Path) -> Iterator[EmbeddedValkey]:
    """A server of this test's own."""
    folder = tmp_path / "own"
    folder.mkdir()
    (folder / "valkey.password").write_text(PASSWORD)
    with running_valkey(folder) as server:
        yield server


@pytest.fixture
def redis_url(request: pytest.FixtureRequest) -> str:
    """Of the test's own server where it has one."""
    name = "own_valkey" if "own_valkey" in request.fixturenames else "valkey"
    return request.getfixturevalue(name).url


@pytest.mark.slow
async def test_4_a_server_killed_three_times_loses_nothing_and_ends_no_worker(
    bench: Any, own_valkey: EmbeddedValkey, record_property: Record
) -> None:
    workers = [await bench.start(), await bench.start()]
    each, waits = size(short=100, full=1000), []
    for _ in range(3):
        await bench.accept("write_effect", count=each, seconds=0.1)
        await asyncio.sleep(0.3)
        own_valkey.kill()
        await asyncio.sleep(0.5)
        await asyncio.to_thread(own_valkey.start)
        waits.append(await _seconds_to_next_run(bench))
    await bench.until(bench.all_finished, seconds=300)
    await bench.assert_once_each(3 * each)
    assert [worker.process.poll() for worker in workers] == [None, None]
    assert max(waits) <= 2 + SLACK_SECONDS
    record_property(
        "fault 4",
        f"3 kills under {3 * each} commands: 0 lost, 0 doubled, 0 workers ended, resumed in {max(waits):.2f} s",
    )


@pytest.mark.slow
async def test_5_a_lost_tail_of_the_append_only_file_is_restored(
    bench: Any, own_valkey: EmbeddedValkey, record_property: Record
) -> None:
    commands = size(short=300, full=3000)
    await bench.accept("write_effect", count=commands, seconds=0.01)
    worker = await bench.start()
    await bench.until(lambda: _some_effects(bench, 20))
    own_valkey.kill()
    [log] = own_valkey.folder.glob("valkey/appendonlydir/*.incr.aof")
    with log.open("r+b") as file:
        file.truncate(log.stat().st_size // 3)
    own_valkey.start()
    lost = commands - await bench.count("effects") - await bench.redis.scard(KEYS.open)
    assert lost > 0
    started = time.monotonic()
    await bench.until(bench.all_finished, seconds=60 + commands * 0.005)
    await bench.assert_once_each(commands)
    assert worker.process.poll() is None
    record_property(
        "fault 5", f"two thirds of the log lost, {lost} of {commands} commands gone from Redis:"
        f" all done in {time.monotonic() - started:.1f} s"
    )  # fmt: skip


@pytest.mark.slow
async def test_5_a_replica_that_lagged_and_is_promoted_is_filled_up(
    tables: Any, dsn: str, own_valkey: EmbeddedValkey, tmp_path: Path, blobs_folder: Path, record_property: Record
) -> None:
    commands = size(short=200, full=2000)
    folder = tmp_path / "replica"
    folder.mkdir()
    (folder / "valkey.password").write_text(PASSWORD)
    login = f"masterauth {PASSWORD}"
    with running_valkey(folder, options=[login, f"replicaof 127.0.0.1 {own_valkey.port}"]) as replica:
        async with Forwarder().listening() as forwarder:
            forwarder.lead_to(own_valkey.port)
            url = own_valkey.url.replace(f":{own_valkey.port}/", f":{forwarder.port}/")
            async with open_redis(url) as redis, open_redis(replica.url) as follower:
                bench = Bench(tables, redis, bench_environment(dsn, url, blobs_folder), tmp_path)
                try:
                    worker = await bench.start()
                    await bench.accept("write_effect", count=commands, seconds=0.05)
                    await bench.until(lambda: _some_effects(bench, 20))
                    await follower.execute_command("REPLICAOF", "NO", "ONE")
                    await bench.accept("write_effect", count=commands, seconds=0.05)  # the replica never hears of these
                    own_valkey.kill()
                    forwarder.lead_to(replica.port)
                    started = time.monotonic()
                    await bench.until(bench.all_finished, seconds=60 + 2 * commands * 0.01)
                    await bench.assert_once_each(2 * commands)
                    assert worker.process.poll() is None
                finally:
                    bench.stop()
    record_property(
        "fault 5", f"promoted without the last {commands} of {2 * commands} commands:"
        f" all done in {time.monotonic() - started:.1f} s, 0 doubled"
    )  # fmt: skip


async def test_6_an_emptied_redis_is_filled_again(bench: Any, record_property: Record) -> None:
    commands = size(short=300, full=5000)
    await bench.start()
    await bench.start()
    await bench.accept("write_effect", count=commands, seconds=0.1)
    await bench.until(lambda: _some_effects(bench, 40))
    left = commands - await bench.count("effects")
    await bench.redis.flushall()
    started = time.monotonic()
    await bench.until(lambda: _are_known_or_done(bench), seconds=60)
    restored_seconds = time.monotonic() - started
    await bench.until(bench.all_finished, seconds=300)
    await bench.assert_once_each(commands)
    record_property(
        "fault 6",
        f"emptied with {left} of {commands} commands open: all restored in {restored_seconds:.1f} s, 0 doubled",
    )


async def test_6_what_was_committed_and_never_appended_is_relayed(bench: Any) -> None:
    await bench.start()
    await bench.accept("write_effect", count=1500, append=False)
    await bench.until(bench.all_finished)
    await bench.assert_once_each(1500)
    assert await bench.count("handler_runs") == 1500


@pytest.mark.slow
async def test_7_postgres_away_acknowledges_nothing_and_spends_no_attempt(
    bench: Any, postgres: Any, record_property: Record
) -> None:
    seconds = size(short=1, full=60)
    worker = await bench.start(command_max_attempts=2)
    await bench.accept("write_effect", count=40, seconds=0.5)
    await bench.until(lambda: _some_effects(bench, 1))
    postgres.stop()
    await asyncio.sleep(0.5)  # what was committed before is finished in Redis
    held = await bench.redis.smembers(KEYS.open)
    await bench.until(lambda: worker.says("waiting_for_postgres") or worker.says("command_deferred"))
    await asyncio.sleep(seconds)
    assert await bench.redis.smembers(KEYS.open) == held
    postgres.start()
    await bench.pool.expire_connections()
    await bench.until(bench.all_finished, seconds=60)
    await bench.until(lambda: _nothing_pending(bench))
    assert worker.process.poll() is None
    await bench.assert_once_each(40)
    assert await bench.pool.fetchval("SELECT max(attempts) FROM operations") == 0
    assert await bench.redis.exists(KEYS.dead_letters) == 0
    record_property("fault 7", f"away for {seconds} s with {len(held)} commands open: 0 acknowledged, 0 attempts spent")


async def test_20_forgotten_scripts_and_a_destroyed_group_are_no_harm(bench: Any, record_property: Record) -> None:
    commands = size(short=200, full=2000)
    await bench.start()
    await bench.accept("write_effect", count=commands, seconds=0.1)
    waits: list[float] = []
    for destroy in (bench.redis.script_flush, lambda: bench.redis.xgroup_destroy(KEYS.commands, GROUP)):
        await bench.until(lambda: _some_effects(bench, 20))
        destroyed = time.monotonic()
        await destroy()
        # of a run of its own, which is next in turn: it was not begun before
        [another] = await bench.accept("write_effect", run_id=RunId(new_id()))
        await bench.until(lambda another=another: _has_run(bench, another.id))
        waits.append(time.monotonic() - destroyed)
    await bench.until(bench.all_finished, seconds=120)
    await bench.assert_once_each(commands + 2)
    with pytest.raises(ResponseError, match="BUSYGROUP"):
        await bench.redis.xgroup_create(KEYS.commands, GROUP)
    assert max(waits) <= 1 + SLACK_SECONDS
    record_property(
        "fault 20",
        f"a new command done {waits[0]:.2f} s after SCRIPT FLUSH, {waits[1]:.2f} s after the group was destroyed",
    )


async def _seconds_to_next_run(bench: Any) -> float:
    """From now until a worker begins another command, by the clock of Postgres."""
    now = await bench.pool.fetchval("SELECT clock_timestamp()")
    query = "SELECT extract(epoch FROM min(at) - $1)::float FROM handler_runs WHERE at > $1"

    async def has_begun() -> bool:
        return await bench.pool.fetchval(query, now) is not None

    await bench.until(has_begun)
    return await bench.pool.fetchval(query, now)


async def _has_run(bench: Any, operation_id: OperationId) -> bool:
    return await bench.pool.fetchval("SELECT count(*) FROM effects WHERE operation_id = $1", operation_id) > 0


async def _some_effects(bench: Any, count: int) -> bool:
    return await bench.count("effects") >= count


async def _are_known_or_done(bench: Any) -> bool:
    """Whether Redis holds every command that Postgres waits for."""
    rows = await bench.pool.fetch("SELECT id FROM operations WHERE state = 'accepted'")
    return not await CommandStreams(bench.redis).missing(Service.CAMPAIGNS, [row["id"] for row in rows])


async def _nothing_pending(bench: Any) -> bool:
    depth = await CommandStreams(bench.redis).depth(Service.CAMPAIGNS)
    return depth.undelivered + depth.pending + depth.delayed == 0
