"""A worker process: settings, connections, the loop, the periodic jobs, and their end."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from functools import partial
from typing import Any, TypeVar

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

import migrations
from shared.blobs.store import blobs_check, open_blob_store
from shared.domain.ids import OperationId
from shared.domain.operation import Service
from shared.errors import InvalidSettings, Unavailable
from shared.github.reach import open_github_check
from shared.observability.health import Check, Probes, Unhealthy, postgres_check, redis_check
from shared.observability.logs import configure_logging
from shared.observability.redaction import redact
from shared.outbox import Outbox
from shared.postgres.pool import open_pool
from shared.postgres.schema import schema_check
from shared.settings import WorkerSettings, load
from shared.streams.connection import open_arq_redis, open_redis
from shared.streams.consumer import Consumer
from shared.streams.groups import has_group
from shared.streams.keys import ServiceKeys
from shared.streams.periods import Period
from shared.streams.requests import Requests

from .ending import end
from .execution import Executor
from .harness import StreamWorker
from .housekeeping import Housekeeping
from .loop import run
from .periodic import run_periodically
from .probing import ProcessHealth, answer_probes
from .retries import describe
from .runtime import Infrastructure, Worker

log = structlog.stdlib.get_logger(__name__)

C = TypeVar("C")
S = TypeVar("S", bound=WorkerSettings)
T = TypeVar("T")

AGAIN_SECONDS = 0.5


def main(worker: Worker[Any, Any]) -> int:
    """Runs the worker until SIGTERM or SIGINT; gives the exit code: 2 for wrong settings, 1 where a store is away."""
    try:
        settings: WorkerSettings = load(worker.settings_class)
    except InvalidSettings as error:
        print(f"octobatch {worker.service} worker: {error}", file=sys.stderr)  # noqa: T201
        return 2
    configure_logging(level=settings.log_level, format=settings.log_format, service=worker.service)
    try:
        run(serve(worker, settings))
    except (InvalidSettings, Unavailable) as error:
        print(f"octobatch {worker.service} worker: {redact(str(error))}", file=sys.stderr)  # noqa: T201
        return 2 if isinstance(error, InvalidSettings) else 1
    return 0


async def serve(worker: Worker[C, S], settings: S) -> None:
    """Opens what the worker needs, works until it is told to stop, closes all in reverse.

    Raises `Unavailable` where Postgres or Redis does not answer within `startup_wait_seconds`.
    """
    completed: set[OperationId] = set()
    health = ProcessHealth()
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(answer_probes(health, settings))
        infrastructure = await stack.enter_async_context(_infrastructure(settings, completed))
        context = await stack.enter_async_context(worker.resources(settings, infrastructure))
        housekeeping = Housekeeping(
            service=worker.service,
            pool=infrastructure.pool,
            redis=infrastructure.redis,
            settings=settings,
            measure=partial(worker.measure, context) if worker.measure else None,
        )
        harness = await stack.enter_async_context(
            _harness(worker, settings, infrastructure, context, completed, housekeeping)
        )
        jobs = [*housekeeping.jobs(), *_own_jobs(worker, settings, infrastructure.redis, context)]
        await stack.enter_async_context(_background(jobs))
        if settings.health_port:
            health.probes = Probes(
                ready=[*_stores(worker.service, infrastructure), harness.check(), *worker.checks(context)],
                beside=[
                    blobs_check(infrastructure.blobs),
                    await stack.enter_async_context(open_github_check(settings)),
                ],
            )
        log.info("worker_ready", concurrency=settings.worker_concurrency)
        await harness.serve()
    log.info("worker_stopped")


def _stores(service: Service, infrastructure: Infrastructure) -> list[Check]:
    async def has_its_group() -> str:
        if not await has_group(infrastructure.redis, service):
            raise Unhealthy(f"the stream of {service} has no consumer group")
        return ""

    return [
        postgres_check(infrastructure.pool),
        redis_check(infrastructure.redis),
        schema_check(infrastructure.pool, wanted=migrations.head()),
        Check("stream", has_its_group),
    ]


@asynccontextmanager
async def _infrastructure(settings: WorkerSettings, completed: set[OperationId]) -> AsyncIterator[Infrastructure]:
    async with AsyncExitStack() as stack:
        deadline = asyncio.get_running_loop().time() + settings.startup_wait_seconds
        dsn = settings.postgres_dsn.get_secret_value()
        pool = await _when_ready(stack, partial(open_pool, dsn, size=settings.postgres_pool_size), deadline)
        redis = await _when_ready(stack, partial(_open_answering_redis, _redis_url(settings)), deadline)
        blobs = await stack.enter_async_context(open_blob_store(settings))
        yield Infrastructure(
            pool=pool,
            redis=redis,
            blobs=blobs,
            outbox=Outbox(pool, redis, blobs=blobs, on_completed=completed.add),
            requests=Requests(redis),
        )


@asynccontextmanager
async def _harness(
    worker: Worker[C, Any],
    settings: WorkerSettings,
    infrastructure: Infrastructure,
    context: C,
    completed: set[OperationId],
    housekeeping: Housekeeping,
) -> AsyncIterator[StreamWorker]:
    async with open_redis(_redis_url(settings), max_connections=1) as reader:
        key = ServiceKeys(worker.service).arq
        async with open_arq_redis(_redis_url(settings), infrastructure.redis, key=key) as arq_redis:
            yield StreamWorker(
                service=worker.service,
                settings=settings,
                consumer=Consumer(
                    service=worker.service,
                    redis=infrastructure.redis,
                    reader=reader,
                    lease_seconds=settings.command_lease_seconds,
                    max_deliveries=settings.command_max_deaths,
                    on_lost=housekeeping.redis_lost.set,
                ),
                executor=Executor(
                    worker=worker,
                    context=context,
                    settings=settings,
                    infrastructure=infrastructure,
                    completed=completed,
                ),
                arq_redis=arq_redis,
                command_types=list(worker.handlers),
                on_redis_away=housekeeping.redis_lost.set,
            )


def _own_jobs(worker: Worker[C, S], settings: S, redis: Redis, context: C) -> list[Coroutine[Any, Any, None]]:
    keys = ServiceKeys(worker.service)
    return [
        run_periodically(
            partial(job.function, context),
            name=job.name,
            period=Period(redis, keys.periodic(job.name)),
            every_seconds=job.every_seconds(settings) if callable(job.every_seconds) else job.every_seconds,
        )
        for job in worker.cron
    ]


@asynccontextmanager
async def _background(jobs: list[Coroutine[Any, Any, None]]) -> AsyncIterator[None]:
    tasks = [asyncio.create_task(job) for job in jobs]
    try:
        yield
    finally:
        await end(tasks)


async def _when_ready(
    stack: AsyncExitStack, opened: Callable[[], AbstractAsyncContextManager[T]], deadline: float
) -> T:
    while True:
        try:
            return await stack.enter_async_context(opened())
        except Unavailable as error:
            if asyncio.get_running_loop().time() >= deadline:
                raise
            log.warning("waiting_at_start", error=redact(str(error)))
            await asyncio.sleep(AGAIN_SECONDS)


@asynccontextmanager
async def _open_answering_redis(url: str) -> AsyncIterator[Redis]:
    async with open_redis(url) as redis:
        try:
            await redis.ping()  # pyright: ignore
        except (RedisError, OSError) as error:
            raise Unavailable("Redis", describe(error)) from error
        yield redis


def _redis_url(settings: WorkerSettings) -> str:
    return settings.redis_url.get_secret_value()
