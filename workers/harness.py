"""arq's worker, reading a stream: arq gives the process its signals, drain, task registry, hooks and health key.

`Worker._poll_iteration`, which reads arq's own sorted set, is overridden; a test watches that arq still calls it.
Nothing is put on arq's own queue (periodic jobs run in `periodic.py`); its serialiser is JSON all the same.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

import structlog
from arq.connections import ArqRedis
from arq.worker import Worker as ArqWorker
from arq.worker import func
from redis.exceptions import RedisError

from shared.domain.operation import Service
from shared.observability import metrics
from shared.observability.health import Check, Unhealthy
from shared.settings import WorkerSettings
from shared.streams.consumer import Consumer, Delivery, Finish
from shared.streams.envelope import item_of
from shared.streams.keys import ServiceKeys

from .batching import Batcher
from .ending import end
from .execution import Executor
from .retries import describe

log = structlog.stdlib.get_logger(__name__)

LONGEST_TICK_SECONDS = 0.5
REDIS_AGAIN_SECONDS = 0.2

LINGER_SECONDS = 0.002
"""How long a full worker waits for a few more slots before it reads again: more commands then come at once."""

HEALTH_SECONDS = 10.0
NO_VERDICT_AGAIN_SECONDS = 10.0

POLLED_WITHIN_SECONDS = 10.0
"""A loop that looked at Redis so lately is well: it does so at least twice a second."""


async def _run_outside_arq(ctx: dict[Any, Any], *_args: Any, **_kwargs: Any) -> None:
    raise RuntimeError(f"commands come from their stream, not from arq's queue: {sorted(ctx)}")


class StreamWorker(ArqWorker):
    """Reads at most as many commands as it has free slots, holds them while they run, and finishes them in batches.

    `on_redis_away` is called when Redis was away: what it forgot must be appended again.
    """

    def __init__(
        self,
        *,
        service: Service,
        settings: WorkerSettings,
        consumer: Consumer,
        executor: Executor[Any],
        arq_redis: ArqRedis,
        command_types: Sequence[str],
        on_redis_away: Callable[[], None],
    ) -> None:
        keys = ServiceKeys(service)
        super().__init__(
            [func(_run_outside_arq, name=command_type) for command_type in command_types],
            queue_name=keys.arq,
            redis_pool=arq_redis,
            poll_delay=0,  # the poll step waits itself
            max_jobs=settings.worker_concurrency,
            job_timeout=settings.command_timeout_seconds,
            job_completion_wait=settings.drain_seconds or 0.001,  # pyright: ignore[reportArgumentType]  # 0 = no drain
            health_check_key=consumer.health_key,
            health_check_interval=HEALTH_SECONDS,
            job_serializer=lambda job: json.dumps(job).encode(),
            job_deserializer=json.loads,
        )
        self._is_stopped = asyncio.Event()
        self.on_stop = lambda _: self._is_stopped.set()
        self._service = service
        self._consumer = consumer
        self._executor = executor
        self._on_redis_away = on_redis_away
        self._finish = Batcher(self._finish_all)
        self._held: dict[str, Delivery] = {}
        self._working: dict[str, asyncio.Task[None]] = {}
        self._finishing: set[str] = set()
        self._slot_freed = asyncio.Event()
        self._reading: asyncio.Task[list[Delivery]] | None = None
        self._worthwhile = max(self.max_jobs // 8, 1)
        self._tick_seconds = min(settings.command_lease_seconds / 3, LONGEST_TICK_SECONDS)
        self._next_tick = 0.0
        self._next_health = 0.0
        self._polled_at: float | None = None
        self._server_ahead_ms = 0.0  # the server's time in ms, less the loop's
        self._is_quarantine = False

    async def serve(self) -> None:
        """Works until SIGTERM or SIGINT; then drains, and hands back what does not finish in time."""
        await self._consumer.ensure_group()
        await self._tick()
        try:
            if self.allow_pick_jobs:  # a signal on the way here found no main task to end
                await self.async_run()
        except asyncio.CancelledError:
            if self.allow_pick_jobs:
                raise
        finally:
            await self._leave()

    async def _poll_iteration(self) -> None:
        if self._is_stopped.is_set():  # the cancellation that came with it may have been lost to an error
            raise asyncio.CancelledError
        try:
            if self.loop.time() >= self._next_tick:
                await self._tick()
            if self.allow_pick_jobs and self._free > 0 and not self._is_quarantine:
                if self._free < self._worthwhile:
                    await asyncio.sleep(LINGER_SECONDS)
                await self._read(self._free)
            else:
                await self._wait_for_slot()
            await self.heart_beat()
            self._polled_at = self.loop.time()
        except (RedisError, OSError) as error:
            log.warning("redis_away", error=describe(error))
            self._on_redis_away()
            await asyncio.sleep(REDIS_AGAIN_SECONDS)

    def check(self) -> Check:
        """Whether commands are looked for."""

        async def ask() -> str:
            if not self.allow_pick_jobs:
                raise Unhealthy("it is stopping")
            if self._polled_at is None:
                raise Unhealthy("it has not looked for commands yet")
            if (ago := self.loop.time() - self._polled_at) > POLLED_WITHIN_SECONDS:
                raise Unhealthy(f"it looked for commands {ago:.0f} s ago the last time")
            return ""

        return Check("loop", ask)

    @property
    def _free(self) -> int:
        return self.max_jobs - len(self._held)

    async def record_health(self) -> None:
        """Says in Redis how this process does, through a client that follows a failover, as arq's own would not."""
        if self.loop.time() < self._next_health:
            return
        self._next_health = self.loop.time() + HEALTH_SECONDS
        facts = {
            "complete": self.jobs_complete,
            "failed": self.jobs_failed,
            "retried": self.jobs_retried,
            "running": len(self._held),
        }
        await self._consumer.record_health(json.dumps(facts), seconds=HEALTH_SECONDS + 1)

    def _seconds_to_tick(self) -> float:
        return max(self._next_tick - self.loop.time(), 0.001)

    async def _read(self, free: int) -> None:
        read = self._consumer.read(count=free, block_seconds=self._seconds_to_tick())
        self._reading = asyncio.create_task(read)
        # shielded: cancelling a read in flight would lose its reply
        deliveries = await asyncio.shield(self._reading)
        self._reading = None
        if self.allow_pick_jobs:
            self._start(deliveries)
        else:
            await self._consumer.hand_back(deliveries)

    async def _wait_for_slot(self) -> None:
        self._slot_freed.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(self._seconds_to_tick()):
                await self._slot_freed.wait()
        if self._is_quarantine and not self._held:
            self._next_tick = 0

    async def _tick(self) -> None:
        self._next_tick = self.loop.time() + self._tick_seconds
        tick = await self._consumer.tick(self._held, free=self._free if self.allow_pick_jobs else 0)
        self._is_quarantine = tick.is_quarantine
        if tick.now_ms:
            self._server_ahead_ms = tick.now_ms - self.loop.time() * 1000
        # what is being finished is gone from Redis before we hear that it is; the finish itself tells if it was fenced
        lost = [entry_id for entry_id in tick.lost if entry_id in self._held and entry_id not in self._finishing]
        for entry_id in lost:
            self._drop(entry_id)
        if lost:
            self._on_redis_away()
        self._start(tick.taken)

    def _drop(self, entry_id: str) -> None:
        log.warning("lease_lost", entry_id=entry_id)
        del self._held[entry_id]
        self._working.pop(entry_id).cancel()

    def _start(self, deliveries: Sequence[Delivery]) -> None:
        now_ms = int(self.loop.time() * 1000 + self._server_ahead_ms)
        for delivery in deliveries:
            self._held[delivery.entry_id] = delivery
            task = self.loop.create_task(self._work(delivery, now_ms))
            self._working[delivery.entry_id] = task
            key = f"{delivery.entry_id}/{delivery.count}"
            self.tasks[key] = task  # what arq waits for when it drains
            task.add_done_callback(lambda _, key=key: self.tasks.pop(key, None))

    async def _work(self, delivery: Delivery, now_ms: int) -> None:
        try:
            finish = await self._executor.run(delivery, now_ms=now_ms)
            self._finishing.add(delivery.entry_id)
            if await self._finish(finish):
                self._count(finish)
            else:
                metrics.COMMAND_FENCED.labels(self._service).inc()
                log.warning("command_fenced", entry_id=delivery.entry_id)
        except asyncio.CancelledError:
            # drained, or lost to another consumer: the delivery is left to who has it next
            self.jobs_retried += 1
        except Exception:
            # a fault of ours, or Redis away while answering: put off, so that it neither spins nor is lost
            log.exception("run_without_verdict", entry_id=delivery.entry_id)
            await self._finish(
                Finish(
                    delivery=delivery,
                    outcome="delay",
                    item=item_of(delivery.body),
                    delay_seconds=NO_VERDICT_AGAIN_SECONDS,
                )
            )
            self.jobs_failed += 1
        finally:
            self._finishing.discard(delivery.entry_id)
            if self._held.get(delivery.entry_id) is delivery:
                del self._held[delivery.entry_id], self._working[delivery.entry_id]
            self._slot_freed.set()

    def _count(self, finish: Finish) -> None:
        match finish.outcome:
            case "delay":
                self.jobs_retried += 1
            case "dead":
                self.jobs_failed += 1
            case _:
                self.jobs_complete += 1

    async def _finish_all(self, finishes: Sequence[Finish]) -> list[bool]:
        while True:
            try:
                return await self._consumer.finish(finishes)
            except (RedisError, OSError) as error:
                # the verdicts are kept until Redis hears them; one that it had heard already is fenced
                log.warning("redis_away", error=describe(error))
                await asyncio.sleep(REDIS_AGAIN_SECONDS)

    async def _leave(self) -> None:
        await end(list(self.tasks.values()))
        await self._finish.close()
        await self._executor.close()
        try:
            if self._reading:
                await self._reading  # what it brings is handed back with the rest
            handed_back = await self._consumer.leave()
            log.info("left_the_group", handed_back=handed_back)
            await self.close()
        except (RedisError, OSError) as error:
            log.warning("left_without_redis", error=describe(error))
