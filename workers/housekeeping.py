"""What every worker does beside its commands: relay, reconcile, trim, and measure."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import structlog
from redis.asyncio import Redis

from shared.domain.operation import Service
from shared.observability import metrics
from shared.observability.redaction import redact
from shared.postgres.pool import Pool
from shared.settings import WorkerSettings
from shared.streams.commands import CommandStreams
from shared.streams.inspection import Inspection, Survey
from shared.streams.keys import ServiceKeys
from shared.streams.periods import Period

from .periodic import run_periodically
from .relay import RECONCILE_SECONDS, Relay
from .retries import describe, is_away

log = structlog.stdlib.get_logger(__name__)

TIDY_SECONDS = 60.0
FINISHED_KEPT_SECONDS = 24 * 3600.0
CONSUMER_KEPT_SECONDS = 3600.0
MEASURE_SECONDS = 5.0
AGAIN_SECONDS = 1.0


class Housekeeping:
    """The jobs of one process. `redis_lost` asks for a reconciliation now."""

    def __init__(
        self,
        *,
        service: Service,
        pool: Pool,
        redis: Redis,
        settings: WorkerSettings,
        measure: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        self.redis_lost = asyncio.Event()
        self._service = service
        self._redis = redis
        self._settings = settings
        self._measure_own = measure
        self._relay = Relay(service=service, pool=pool, redis=redis)
        self._streams = CommandStreams(redis)

    def jobs(self) -> list[Coroutine[Any, Any, None]]:
        """Each runs until it is cancelled."""
        jobs = [
            self._alone("relay", self._relay.append_unconfirmed, self._settings.relay_interval_seconds),
            self._alone("reconcile", self._relay.reconcile, RECONCILE_SECONDS),
            self._alone("tidy", self._tidy, TIDY_SECONDS),
            self._reconcile_when_lost(),
        ]
        if self._settings.health_port:
            jobs.append(_repeatedly(self._measure))
            if self._measure_own:
                jobs.append(_repeatedly(self._measure_own))
        return jobs

    def _alone(
        self, name: str, job: Callable[[], Awaitable[object]], every_seconds: float
    ) -> Coroutine[Any, Any, None]:
        period = Period(self._redis, ServiceKeys(self._service).periodic(name))
        return run_periodically(job, name=name, period=period, every_seconds=every_seconds)

    async def _tidy(self) -> None:
        await self._streams.tidy(
            self._service, retention_seconds=FINISHED_KEPT_SECONDS, consumer_idle_seconds=CONSUMER_KEPT_SECONDS
        )

    async def _reconcile_when_lost(self) -> None:
        while True:
            await self.redis_lost.wait()
            self.redis_lost.clear()
            try:
                await self._relay.reconcile()
            except Exception as error:
                if not is_away(error):
                    raise
                log.warning("reconcile_put_off", error=redact(describe(error)))
                self.redis_lost.set()
            await asyncio.sleep(AGAIN_SECONDS)

    async def _measure(self) -> None:
        _show(await Inspection(self._redis).survey(self._service))


async def _repeatedly(measure: Callable[[], Awaitable[None]]) -> None:
    while True:
        try:
            await measure()
        except Exception as error:
            if not is_away(error):
                raise
        await asyncio.sleep(MEASURE_SECONDS)


def _show(survey: Survey) -> None:
    depth = survey.depth
    for gauge, value in (
        (metrics.STREAM_LAG, depth.undelivered),
        (metrics.STREAM_PENDING, depth.pending),
        (metrics.STREAM_DELAYED, depth.delayed),
        (metrics.STREAM_DUE, depth.due),
        (metrics.STREAM_HELD, depth.held),
        (metrics.STREAM_OLDEST_AGE, depth.oldest_age_seconds),
        (metrics.STREAM_DEAD_LETTERS, depth.dead_letters),
        (metrics.STREAM_CONSUMERS, survey.consumers),
        (metrics.STREAM_ACKNOWLEDGED, survey.acknowledged),
    ):
        gauge.labels(survey.service).set(value)
