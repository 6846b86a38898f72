"""From a disposition to what Postgres and Redis keep of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

import structlog

from shared.clock import utcnow
from shared.observability import metrics
from shared.observability.redaction import redact
from shared.postgres import operations
from shared.streams.consumer import Delivery, Finish
from shared.streams.envelope import Envelope

from .retries import Blocked, DeadLetter, DeferUntil, Disposition, Done, RetryAt, describe, is_away
from .runtime import Command, Infrastructure, Worker

log = structlog.stdlib.get_logger(__name__)

C = TypeVar("C")

LONGEST_REASON = 4000

AGAIN_SECONDS = 2.0
"""When a command is looked at again that could not be marked failed."""


@dataclass(frozen=True)
class Run:
    """A delivery under way."""

    delivery: Delivery
    envelope: Envelope
    command: Command

    def finish(self, outcome: str, *, delay_seconds: float = 0, error: str = "", next_attempt: bool = False) -> Finish:
        """What is to become of the delivery."""
        return Finish(
            delivery=self.delivery,
            outcome=outcome,
            item=self._item(outcome, next_attempt=next_attempt),
            delay_seconds=delay_seconds,
            error=error,
        )

    def _item(self, outcome: str, *, next_attempt: bool) -> bytes:
        if next_attempt:
            return self.envelope.next_attempt().to_item()
        return self.envelope.to_item(b"" if outcome == "done" else self.delivery.body)


class Verdicts(Generic[C]):
    """Carries out what `classify` decided."""

    def __init__(self, *, worker: Worker[C, Any], context: C, infrastructure: Infrastructure) -> None:
        self._worker = worker
        self._context = context
        self._pool = infrastructure.pool

    async def conclude(self, run: Run, disposition: Disposition) -> Finish:
        """Writes to Postgres what it keeps, and gives what Redis is to do."""
        if isinstance(disposition, Done):
            self._count_attempts(run, "done")
            return run.finish("done")
        why = storable(disposition.why)
        facts = {
            "type": run.envelope.type,
            "operation_id": str(run.envelope.id),
            "run_id": str(run.envelope.run_id) if run.envelope.run_id else None,
            "target_id": str(run.envelope.target_id) if run.envelope.target_id else None,
            "attempt": run.envelope.attempt,
            "error": why,
        }
        match disposition:
            case DeferUntil(at=at):
                log.info("command_deferred", until=at.isoformat(timespec="seconds"), **facts)
                return run.finish("delay", delay_seconds=_seconds_until(at))
            case RetryAt(at=at):
                log.warning("command_retried", at=at.isoformat(timespec="seconds"), **facts)
                metrics.COMMAND_RETRIES.labels(self._worker.service, run.envelope.type).inc()
                await self._record_attempt(run, why)
                return run.finish("delay", delay_seconds=_seconds_until(at), next_attempt=True)
            case Blocked():
                log.warning("command_blocked", **facts)
                return await self._give_up(run, why, outcome="done")
            case DeadLetter():
                log.error("command_dead_lettered", **facts)
                return await self._give_up(run, why, outcome="dead")

    async def _record_attempt(self, run: Run, why: str) -> None:
        try:
            async with self._pool.acquire() as conn:
                await operations.record_attempt(conn, run.envelope.id, attempts=run.envelope.attempt, error=why)
        except Exception as error:
            if not is_away(error):
                raise
            # the envelope counts too: Postgres needs the number only after Redis has lost it
            log.warning("attempt_not_recorded", operation_id=str(run.envelope.id), error=redact(describe(error)))

    async def _give_up(self, run: Run, why: str, *, outcome: str) -> Finish:
        try:
            if self._worker.on_failed:
                await self._worker.on_failed(self._context, run.command, why)
            async with self._pool.acquire() as conn:
                await operations.fail_operation(conn, run.envelope.id, error=why)
        except Exception as error:
            # it is not failed before everybody can see that it is
            log.exception("giving_up_failed", operation_id=str(run.envelope.id), error=redact(describe(error)))
            return run.finish("delay", delay_seconds=AGAIN_SECONDS)
        self._count_attempts(run, "given up")
        return run.finish(outcome, error=why)

    def _count_attempts(self, run: Run, outcome: str) -> None:
        metrics.COMMAND_ATTEMPTS.labels(self._worker.service, outcome).observe(run.envelope.attempt)


def storable(why: str) -> str:
    """A reason as it may be kept and shown: without secrets, without what Postgres refuses, and not endless."""
    return redact(why).replace("\x00", "\N{REPLACEMENT CHARACTER}")[:LONGEST_REASON]


def _seconds_until(at: datetime) -> float:
    # both ends by this process's clock, so that only the length of the wait travels to Redis
    return max((at - utcnow()).total_seconds(), 0)
