"""One run of one command: is it wanted still, its handler, and what its end is called."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any, Generic, TypeVar

import structlog

from shared.clock import utcnow
from shared.domain.ids import OperationId
from shared.errors import InvalidInput, Unavailable
from shared.observability import metrics
from shared.observability.redaction import redact
from shared.observability.traces import continued
from shared.postgres import operations
from shared.settings import WorkerSettings
from shared.streams.consumer import Delivery, Finish
from shared.streams.envelope import Envelope, item_of
from shared.streams.requests import answer_request

from .batching import Batcher
from .retries import Disposition, Done, ProcessEnded, classify, describe, is_away
from .runtime import Command, Infrastructure, Worker
from .verdicts import Run, Verdicts

log = structlog.stdlib.get_logger(__name__)

C = TypeVar("C")

POSTGRES_AGAIN_SECONDS = 0.5
TOO_NEW_AGAIN_SECONDS = 10.0


class Executor(Generic[C]):
    """Runs deliveries of one worker. `completed` holds the operations that handlers completed themselves."""

    def __init__(
        self,
        *,
        worker: Worker[C, Any],
        context: C,
        settings: WorkerSettings,
        infrastructure: Infrastructure,
        completed: set[OperationId],
    ) -> None:
        self._worker = worker
        self._context = context
        self._settings = settings
        self._pool = infrastructure.pool
        self._redis = infrastructure.redis
        self._blobs = infrastructure.blobs
        self._completed = completed
        self._verdicts = Verdicts(worker=worker, context=context, infrastructure=infrastructure)
        self._is_accepted = Batcher(self._accepted)
        self._complete = Batcher(self._completed_now)

    async def run(self, delivery: Delivery, *, now_ms: int) -> Finish:
        """Runs the delivery's command to a verdict; `now_ms` is the Redis server's time.

        Cancelling it cancels the handler and leaves no verdict.
        """
        try:
            envelope = Envelope.from_json(delivery.body)
        except InvalidInput as error:
            log.error("command_unreadable", entry_id=delivery.entry_id, error=str(error))  # noqa: TRY400
            return Finish(delivery=delivery, outcome="dead", item=item_of(delivery.body), error=str(error))
        except Unavailable as error:
            log.warning("command_too_new", entry_id=delivery.entry_id, error=str(error))
            return Finish(
                delivery=delivery,
                outcome="delay",
                item=item_of(delivery.body),
                delay_seconds=TOO_NEW_AGAIN_SECONDS,
            )
        with continued(envelope.trace):
            return await self._run(Run(delivery, envelope, self.command(envelope)), now_ms)

    async def _run(self, run: Run, now_ms: int) -> Finish:
        if not await self._is_wanted(run, now_ms):
            return run.finish("done")
        started = time.perf_counter()
        disposition = await self._disposition(run)
        metrics.COMMAND_DURATION.labels(
            self._worker.service, run.envelope.type, type(disposition).__name__.lower()
        ).observe(time.perf_counter() - started)
        return await self._verdicts.conclude(run, disposition)

    def command(self, envelope: Envelope) -> Command:
        """The command as its handler sees it."""
        command = Command(
            operation_id=envelope.id,
            type=envelope.type,
            payload=envelope.payload,
            actor=envelope.actor,
            attempt=envelope.attempt,
            is_last_attempt=envelope.attempt >= self._settings.command_max_attempts,
            run_id=envelope.run_id,
            target_id=envelope.target_id,
        )
        if envelope.is_request:
            command = command.replying(partial(answer_request, self._redis, envelope))
        return command

    async def _is_wanted(self, run: Run, now_ms: int) -> bool:
        """Whether anybody waits for it still; waits itself while Postgres cannot tell."""
        if run.envelope.is_request:
            asked_ms = int(run.delivery.entry_id.partition("-")[0])
            return now_ms < asked_ms + (run.envelope.expires_ms or 0)
        while True:
            try:
                return await self._is_accepted(run.envelope.id)
            except Exception as error:
                if not is_away(error):
                    raise
                log.warning("waiting_for_postgres", error=redact(describe(error)))
                await asyncio.sleep(POSTGRES_AGAIN_SECONDS)

    async def _disposition(self, run: Run) -> Disposition:
        try:
            await self._handle(run)
        except Exception as error:
            log.debug("run_ended_with_error", type=run.envelope.type, exc_info=error)
            if run.envelope.is_request:
                return await self._answer_error(run, error)
            return classify(
                error,
                attempt=run.envelope.attempt,
                max_attempts=self._settings.command_max_attempts,
                now=utcnow(),
            )
        return Done()

    async def _answer_error(self, run: Run, error: Exception) -> Disposition:
        """A request is not tried again here: its asker gets the error, and knows how long it can wait."""
        message = redact(describe(error))
        log.warning("request_failed", type=run.envelope.type, request_id=str(run.envelope.id), error=message)
        await run.command.answer({"error": {"type": type(error).__name__, "message": message}})
        return Done()

    async def _handle(self, run: Run) -> None:
        if run.delivery.count > self._settings.command_max_deaths:
            raise ProcessEnded(run.delivery.count - 1)
        handler = self._worker.handlers.get(run.envelope.type)
        if handler is None:
            raise InvalidInput(f"the {self._worker.service} worker knows no command {run.envelope.type}")
        longest = self._settings.command_timeout_seconds
        limit = asyncio.timeout(longest)
        try:
            async with limit:
                await handler(self._context, await self._with_payload(run))
        except TimeoutError as error:
            if limit.expired():
                raise TimeoutError(f"it took longer than {longest:g} s") from error
            raise
        finally:
            is_completed = run.envelope.id in self._completed
            self._completed.discard(run.envelope.id)
        if not is_completed and not run.envelope.is_request:
            await self._complete(run.envelope.id)

    async def _with_payload(self, run: Run) -> Command:
        if run.envelope.payload_at is None:
            return run.command
        return replace(run.command, payload=json.loads(await self._blobs.get(run.envelope.payload_at)))

    async def _accepted(self, operation_ids: Sequence[OperationId]) -> list[bool]:
        async with self._pool.acquire() as conn:
            accepted = await operations.accepted_among(conn, operation_ids=operation_ids)
        return [operation_id in accepted for operation_id in operation_ids]

    async def _completed_now(self, operation_ids: Sequence[OperationId]) -> list[bool]:
        async with self._pool.acquire() as conn:
            completed = await operations.complete_operations(conn, operation_ids=operation_ids)
        return [operation_id in completed for operation_id in operation_ids]

    async def close(self) -> None:
        """Ends what is under way."""
        await self._is_accepted.close()
        await self._complete.close()
