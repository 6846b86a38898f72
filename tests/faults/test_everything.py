"""Everything that can go wrong, at once: each command takes effect once all the same."""

from __future__ import annotations

import asyncio
import random
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from redis.exceptions import RedisError

import migrations
from sandbox.embedded.postgres import EmbeddedPostgres, running_postgres
from sandbox.embedded.valkey import EmbeddedValkey, running_valkey
from shared.domain.operation import NewOperation, Service
from shared.postgres.pool import open_pool
from shared.streams.connection import open_redis
from shared.streams.keys import ServiceKeys
from tests.faults.sizes import TIMEOUT_SECONDS, size
from tests.worker_bench import TABLES, Bench, WorkerProcess, bench_environment

KEYS = ServiceKeys(Service.CAMPAIGNS)
COMMANDS = size(short=400, full=10_000)
KILLS = size(short=5, full=200)
WORKERS = size(short=3, full=4)
STEP = 20
LEASE_SECONDS = 2.0
SETTINGS = {
    "command_lease_seconds": LEASE_SECONDS,
    "command_max_deaths": 100,  # kills are random: nobody is to blame
    "worker_concurrency": 10,
    "relay_interval_seconds": 1,
}


@dataclass
class Chaos:
    """What is done to workers and stores, and how often it was."""

    bench: Bench
    postgres: EmbeddedPostgres
    valkey: EmbeddedValkey
    chance: random.Random = field(default_factory=lambda: random.Random(20))
    workers: list[WorkerProcess] = field(default_factory=list[WorkerProcess])
    done: dict[str, int] = field(default_factory=dict[str, int])

    async def reign(self) -> None:
        """Until enough workers were killed: mostly a kill, now and then something worse."""
        worse: list[Callable[[], Awaitable[None]]] = [
            self.kill_valkey, self.flush_redis, self.restart_postgres, self.pause_a_worker, self.deliver_again,
        ]  # fmt: skip
        self.workers = [self._launch() for _ in range(WORKERS)]
        kills_between = size(short=1, full=4)
        while self.kills < KILLS:
            await self._do(self.kill_a_worker)
            if self.kills % kills_between == 0:
                await self._do(worse[self.kills // kills_between % len(worse)])

    @property
    def kills(self) -> int:
        """How many workers were killed so far."""
        return self.done.get("kill_a_worker", 0)

    async def _do(self, act: Callable[[], Awaitable[None]]) -> None:
        await asyncio.sleep(self.chance.uniform(0.2, 0.8))
        await act()
        name = getattr(act, "__name__", "")
        self.done[name] = self.done.get(name, 0) + 1

    async def kill_a_worker(self) -> None:
        """SIGKILL, and another one in its place."""
        index = self.chance.randrange(len(self.workers))
        self.workers[index].kill()
        self.workers[index] = self._launch()

    async def kill_valkey(self) -> None:
        """SIGKILL and a start: with `appendfsync everysec` the last second may be gone."""
        self.valkey.kill()
        await asyncio.sleep(0.3)
        await asyncio.to_thread(self.valkey.start)

    async def flush_redis(self) -> None:
        """Everything that Redis holds is gone."""
        await self.bench.redis.flushall()

    async def restart_postgres(self) -> None:
        """A stop that ends all connections, and a start."""
        await asyncio.to_thread(self.postgres.stop)
        await asyncio.sleep(0.3)
        await asyncio.to_thread(self.postgres.start)

    async def pause_a_worker(self) -> None:
        """SIGSTOP for longer than its lease, then on it goes."""
        worker = self.chance.choice(self.workers)
        worker.signal(signal.SIGSTOP)
        await asyncio.sleep(1.5 * LEASE_SECONDS)
        worker.signal(signal.SIGCONT)

    async def deliver_again(self) -> None:
        """Copies of old entries, in another order."""
        with suppress(RedisError, OSError):
            entries: Any = await self.bench.redis.xrange(KEYS.commands, count=500)
            for _, fields in self.chance.sample(entries, k=min(len(entries), 100)):
                await self.bench.redis.xadd(KEYS.commands, fields)

    def _launch(self) -> WorkerProcess:
        ahead = self.chance.choice(["-600", "0", "600"])
        self.bench.environment["TEST_CLOCK_AHEAD"] = ahead
        return self.bench.launch(**SETTINGS)


@pytest.fixture
def postgres(tmp_path: Path) -> Iterator[EmbeddedPostgres]:
    """A durable server of this test's own."""
    with running_postgres(tmp_path / "postgres") as server:
        migrations.upgrade(server.dsn())
        yield server


@pytest.fixture
async def chaos(postgres: EmbeddedPostgres, tmp_path: Path, blobs_folder: Path) -> AsyncIterator[Chaos]:
    with running_valkey(tmp_path / "valkey") as valkey:
        async with open_pool(postgres.dsn(), size=5) as pool, open_redis(valkey.url) as redis:
            await pool.execute(TABLES)
            bench = Bench(pool, redis, bench_environment(postgres.dsn(), valkey.url, blobs_folder), tmp_path)
            yield Chaos(bench, postgres, valkey)
            bench.stop()


async def _accept_all(chaos: Chaos) -> None:
    """Accepts the commands in small steps while workers are killed, so that there is always work under way.

    A step that failed is repeated with the same keys, as a client would.
    """
    for start in range(0, COMMANDS, STEP):
        while chaos.kills < KILLS * 0.9 * start / COMMANDS:
            await asyncio.sleep(0.05)
        while True:
            try:
                async with chaos.bench.outbox.transaction() as work:
                    await work.accept(*(_command(number) for number in range(start, start + STEP)))
                break
            except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
                await asyncio.sleep(0.2)


def _command(number: int) -> NewOperation:
    return NewOperation(
        service=Service.CAMPAIGNS,
        type="write_effect",
        payload={"seconds": 0.05},
        dedupe_key=f"command {number}",
        actor="test",
        order_key=f"key-{number % 97}" if number % 2 else None,
    )


async def _finished(bench: Bench) -> bool:
    try:
        return (await bench.states()).get("accepted", 0) == 0
    except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
        return False


@pytest.mark.slow
@pytest.mark.timeout(TIMEOUT_SECONDS)
async def test_everything_at_once_loses_nothing_and_doubles_nothing(
    chaos: Chaos, record_property: Callable[[str, object], None]
) -> None:
    bench = chaos.bench
    accepting = asyncio.create_task(_accept_all(chaos))
    await chaos.reign()
    await accepting
    await bench.until(lambda: _finished(bench), seconds=size(short=60, full=600))
    states, effects = await bench.states(), await bench.count("effects")
    once = await bench.pool.fetchval("SELECT count(DISTINCT operation_id) FROM effects")
    runs = await bench.count("handler_runs")
    what = ", ".join(f"{name.replace('_', ' ')} {times} times" for name, times in chaos.done.items())
    lost, doubled = COMMANDS - once, effects - once
    record_property("fault all", f"{COMMANDS} commands, {what}: {lost} lost, {doubled} doubled; {runs} runs")
    assert states == {"succeeded": COMMANDS}
    assert (lost, doubled) == (0, 0)
