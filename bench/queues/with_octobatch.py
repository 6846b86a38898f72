"""Octobatch's own worker path without Postgres, as its rivals work without one; and it beside a row of Postgres.

| `BENCH_OPTION` | what it is |
| --- | --- |
| `streams` | the harness, executor, consumer and scripts as a worker runs them, and no question to Postgres |
| `events` | the same, and each handler appends an event to its run's stream |
| `operations` | a whole worker process: every command is an operation in Postgres, its handler does nothing |
| `effects` | a whole worker process: each handler writes a row in the transaction that completes its operation |
| `bare` | no queue: an asyncpg loop that writes the rows of `effects`, one transaction for each |
| `insert` | no queue, and no operation: an asyncpg loop that writes the effect alone |

Always on: dedupe keys, leases, and the fence of every finish.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, cast
from uuid import UUID

import asyncpg
from adapter import CONCURRENCY, OPTION, Jobs, done, main_async, now_ns

from shared.clock import utcnow
from shared.domain.event import Event, run_event
from shared.domain.ids import OperationId, RunId, new_id
from shared.domain.operation import NewOperation, Service
from shared.domain.run import RunState
from shared.observability.logs import configure_logging
from shared.outbox import Outbox
from shared.postgres.pool import Pool, open_pool
from shared.settings import WorkerSettings, load
from shared.streams.commands import CommandStreams
from shared.streams.connection import open_arq_redis, open_redis
from shared.streams.consumer import Consumer
from shared.streams.envelope import Envelope
from shared.streams.events import RunEvents
from shared.streams.keys import ServiceKeys
from shared.streams.requests import Requests
from workers.batching import Batcher
from workers.execution import Executor
from workers.harness import StreamWorker
from workers.loop import run
from workers.process import main
from workers.runtime import Command, Infrastructure, Worker
from workers.verdicts import Run

SERVICE = Service.CAMPAIGNS
RUN = RunId(UUID(int=7))
SETTINGS: WorkerSettings = load(WorkerSettings)
REDIS_URL = SETTINGS.redis_url.get_secret_value()
DSN = SETTINGS.postgres_dsn.get_secret_value()


class StreamsClient:
    """Appends commands, each with its dedupe key."""

    def __init__(self, commands: CommandStreams) -> None:
        self._commands = commands

    async def submit(self, number: int, at: int) -> None:
        await self._commands.append([_envelope(number, at)])

    async def submit_many(self, numbers: Jobs) -> None:
        await self._commands.append([_envelope(number, now_ns()) for number in numbers])


def _envelope(number: int, at: int) -> Envelope:
    return Envelope(
        id=OperationId(new_id()),
        service=SERVICE,
        type="job",
        payload={"number": number, "at": at},
        dedupe_key=f"job-{number}",
        actor="bench",
        run_id=RUN,
    )


class OperationsClient:
    """Accepts commands: a row in Postgres, and after the commit an entry of the stream."""

    def __init__(self, outbox: Outbox) -> None:
        self._outbox = outbox

    async def submit(self, number: int, at: int) -> None:
        async with self._outbox.transaction() as work:
            await work.accept(_command(number, at))

    async def submit_many(self, numbers: Jobs) -> None:
        async with self._outbox.transaction() as work:
            await work.accept(*(_command(number, now_ns()) for number in numbers))


def _command(number: int, at: int) -> NewOperation:
    return NewOperation(
        service=SERVICE,
        type="job",
        payload={"number": number, "at": at},
        dedupe_key=f"job-{number}",
        actor="bench",
    )


@asynccontextmanager
async def connect() -> AsyncIterator[StreamsClient | OperationsClient]:
    async with open_redis(REDIS_URL) as redis:
        if OPTION in ("streams", "events"):
            yield StreamsClient(CommandStreams(redis))
        else:
            async with open_pool(DSN, size=1) as pool:
                yield OperationsClient(Outbox(pool, redis))


class WithoutPostgres(Executor[Any]):
    """Runs commands that are in no row of Postgres: nothing says that they are accepted, or keeps that they are done.

    All else is the executor of a worker process. Its handlers say themselves that their operation is complete.
    """

    async def _is_wanted(self, run: Run, now_ms: int) -> bool:  # noqa: ARG002
        return True


async def _work_on_streams() -> None:
    completed: set[OperationId] = set()
    async with open_redis(REDIS_URL) as redis, open_redis(REDIS_URL, max_connections=1) as reader:
        run_events = RunEvents(redis)

        async def append(events: Sequence[Event]) -> Sequence[None]:
            await run_events.append(events)
            return [None] * len(events)

        emit = Batcher(append)

        async def job(_context: None, command: Command) -> None:
            if OPTION == "events":
                await emit(run_event(RUN, RunState.RUNNING, now=utcnow()))
            completed.add(command.operation_id)
            done(command.payload["number"], command.payload["at"])

        worker = Worker(
            service=SERVICE, settings_class=WorkerSettings, resources=cast("Any", None), handlers={"job": job}
        )
        nothing = cast("Any", None)
        infrastructure = Infrastructure(
            pool=nothing, redis=redis, blobs=nothing, outbox=nothing, requests=Requests(redis)
        )
        async with open_arq_redis(REDIS_URL, redis, key=ServiceKeys(SERVICE).arq) as arq_redis:
            await StreamWorker(
                service=SERVICE,
                settings=SETTINGS,
                consumer=Consumer(
                    service=SERVICE,
                    redis=redis,
                    reader=reader,
                    lease_seconds=SETTINGS.command_lease_seconds,
                    max_deliveries=SETTINGS.command_max_deaths,
                ),
                executor=WithoutPostgres(
                    worker=worker,
                    context=None,
                    settings=SETTINGS,
                    infrastructure=infrastructure,
                    completed=completed,
                ),
                arq_redis=arq_redis,
                command_types=["job"],
                on_redis_away=bool,
            ).serve()


@asynccontextmanager
async def _infrastructure(_settings: WorkerSettings, infrastructure: Infrastructure) -> AsyncIterator[Infrastructure]:
    yield infrastructure


async def do_nothing(_infrastructure: Infrastructure, command: Command) -> None:
    done(command.payload["number"], command.payload["at"])


async def write_effect(infrastructure: Infrastructure, command: Command) -> None:
    async with infrastructure.outbox.transaction(completing=command.operation_id) as work:
        await work.conn.execute("INSERT INTO effects (operation_id) VALUES ($1)", command.operation_id)
    done(command.payload["number"], command.payload["at"])


async def _write_without_queue() -> None:
    """As many connections, and as many transactions at once, as the worker has."""
    async with open_pool(DSN, size=SETTINGS.postgres_pool_size) as pool:
        rows = await pool.fetch("SELECT id, payload FROM operations WHERE state = 'accepted' ORDER BY id")
        jobs = iter(rows)
        await asyncio.gather(*(_write_rows(pool, jobs) for _ in range(SETTINGS.postgres_pool_size)))
    await asyncio.Event().wait()


async def _write_rows(pool: Pool, jobs: Any) -> None:
    async with pool.acquire() as conn:
        for row in jobs:
            await (_write_both if OPTION == "bare" else _write_effect)(conn, row["id"])
            done(row["payload"]["number"], row["payload"]["at"])


async def _write_both(conn: Any, operation_id: UUID) -> None:
    async with conn.transaction():
        await conn.execute(
            "UPDATE operations SET state = 'succeeded', finished_at = now() WHERE id = $1 AND state = 'accepted'",
            operation_id,
        )
        await conn.execute("INSERT INTO effects (operation_id) VALUES ($1)", operation_id)


async def _write_effect(conn: asyncpg.Connection[asyncpg.Record], operation_id: UUID) -> None:
    await conn.execute("INSERT INTO effects (operation_id) VALUES ($1)", operation_id)


def work() -> None:
    match OPTION:
        case "streams" | "events":
            configure_logging(level="WARNING", format="console", service=SERVICE)
            run(_work_on_streams())
        case "operations" | "effects":
            handler = do_nothing if OPTION == "operations" else write_effect
            sys.exit(
                main(
                    Worker(
                        service=SERVICE,
                        settings_class=WorkerSettings,
                        resources=_infrastructure,
                        handlers={"job": handler},
                    )
                )
            )
        case _:
            asyncio.run(_write_without_queue())


if __name__ == "__main__":
    assert SETTINGS.worker_concurrency == CONCURRENCY
    main_async(connect, work)
