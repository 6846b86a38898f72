"""Worker processes that can be killed, and the tables that their effects are counted in."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
import pytest
from redis.asyncio import Redis

from shared.domain.ids import RunId
from shared.domain.operation import NewOperation, Operation, Service
from shared.outbox import Outbox
from shared.postgres.pool import Pool

EFFECTS_WORKER = Path(__file__).with_name("effects_worker.py")

TABLES = """
CREATE TABLE effects (operation_id uuid NOT NULL, at timestamptz NOT NULL DEFAULT clock_timestamp());
CREATE TABLE handler_runs (
    operation_id uuid NOT NULL, pid integer NOT NULL, attempt integer NOT NULL,
    at timestamptz NOT NULL DEFAULT clock_timestamp());
CREATE TABLE failures (operation_id uuid NOT NULL, error text NOT NULL);
CREATE TABLE ticks (pid integer NOT NULL, at timestamptz NOT NULL DEFAULT clock_timestamp());
"""


class WorkerProcess:
    """One worker process and its log."""

    def __init__(self, log: Path, environment: Mapping[str, str], arguments: list[str]) -> None:
        self.log = log
        with log.open("wb") as out:
            self.process = subprocess.Popen(arguments, env=dict(environment), stdout=out, stderr=out)

    @property
    def pid(self) -> int:
        return self.process.pid

    def says(self, event: str) -> bool:
        return event in self.log.read_text()

    async def ready(self) -> WorkerProcess:
        await until(lambda: self.says("worker_ready") or self.process.poll() is not None, seconds=60)
        assert self.process.poll() is None, self.log.read_text()
        return self

    def signal(self, number: signal.Signals) -> None:
        if self.process.poll() is None:
            self.process.send_signal(number)

    def kill(self) -> None:
        self.signal(signal.SIGKILL)
        self.process.wait()

    async def exit_code(self, seconds: float = 20) -> int:
        await until(lambda: self.process.poll() is not None, seconds=seconds)
        return self.process.returncode


async def until(condition: Callable[[], Any], *, seconds: float = 20) -> None:
    """Returns once the condition holds, which may be awaitable; fails after so many seconds."""
    deadline = time.monotonic() + seconds
    while True:
        holds = condition()
        if isinstance(holds, Awaitable):
            holds = await holds
        if holds:
            return
        if time.monotonic() > deadline:
            pytest.fail(f"did not come true within {seconds} s")
        await asyncio.sleep(0.02)


@pytest.fixture
async def tables(pool: Pool) -> Pool:
    """The pool, with the tables of the effects worker."""
    await pool.execute(TABLES)
    return pool


class Bench:
    """What the tests of workers use."""

    until = staticmethod(until)

    def __init__(self, pool: Pool, redis: Redis, environment: dict[str, str], folder: Path) -> None:
        self.pool = pool
        self.redis = redis
        self.environment = environment
        self.outbox = Outbox(pool, redis)
        self._folder = folder
        self.started: list[WorkerProcess] = []

    def launch(self, arguments: list[str] | None = None, **settings: object) -> WorkerProcess:
        """Starts a worker and does not wait for it."""
        chosen = {f"OCTOBATCH_{name.upper()}": str(value) for name, value in settings.items() if name != "service"}
        chosen["TEST_SERVICE"] = str(settings.get("service", "campaigns"))
        worker = WorkerProcess(
            self._folder / f"worker-{len(self.started)}.log",
            self.environment | chosen,
            arguments or [sys.executable, str(EFFECTS_WORKER)],
        )
        self.started.append(worker)
        return worker

    async def start(self, **settings: object) -> WorkerProcess:
        """A worker that is ready."""
        return await self.launch(**settings).ready()

    async def accept(
        self, command: str, *, count: int = 1, append: bool = True, run_id: RunId | None = None, **payload: object
    ) -> list[Operation]:
        """Accepts commands, with their own dedupe keys; `append=False` as if the process had died after the commit."""
        commands = [
            NewOperation(
                service=Service.CAMPAIGNS,
                type=command,
                payload=payload,
                dedupe_key=str(uuid4()),
                actor="test",
                run_id=run_id,
            )
            for _ in range(count)
        ]
        async with self.outbox.transaction() as work:
            operations = await work.accept(*commands)
            if not append:
                work.envelopes.clear()
        return operations

    async def count(self, table: str) -> int:
        return await self.pool.fetchval(f"SELECT count(*) FROM {table}")

    async def states(self) -> dict[str, int]:
        rows: list[asyncpg.Record] = await self.pool.fetch("SELECT state, count(*) FROM operations GROUP BY state")
        return {row["state"]: row["count"] for row in rows}

    def stop(self) -> None:
        """Kills every worker that was started."""
        for worker in self.started:
            worker.signal(signal.SIGCONT)
            worker.kill()

    async def assert_once_each(self, count: int) -> None:
        """Every command succeeded, and each has one effect: the table would hold a second one."""
        assert await self.states() == {"succeeded": count}
        assert await self.pool.fetchval("SELECT count(DISTINCT operation_id) FROM effects") == count
        assert await self.count("effects") == count

    async def all_finished(self) -> bool:
        return not (await self.states()).get("accepted")


@pytest.fixture
async def bench(
    tables: Pool, redis: Redis, dsn: str, redis_url: str, tmp_path: Path, blobs_folder: Path
) -> AsyncIterator[Bench]:
    """Empty stores; every worker started is killed at the end."""
    bench = Bench(tables, redis, bench_environment(dsn, redis_url, blobs_folder), tmp_path)
    yield bench
    bench.stop()


def bench_environment(dsn: str, redis_url: str, blobs_folder: Path) -> dict[str, str]:
    """The environment of workers on these stores, with a short lease."""
    return {
        "PATH": os.environ["PATH"],
        "OCTOBATCH_POSTGRES_DSN": dsn,
        "OCTOBATCH_REDIS_URL": redis_url,
        "OCTOBATCH_BLOBSTORE_URL": blobs_folder.as_uri(),
        "OCTOBATCH_COMMAND_LEASE_SECONDS": "1",
        "OCTOBATCH_RELAY_INTERVAL_SECONDS": "0.3",
        "OCTOBATCH_DRAIN_SECONDS": "5",
    }
