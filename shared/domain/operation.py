"""An operation: an accepted command, kept in Postgres until it is finished, whatever happens to Redis."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from .ids import InstallationId, OperationId, RunId, TargetId


class Service(StrEnum):
    """The three workers, each with a stream of its own."""

    CAMPAIGNS = "campaigns"
    SELECTION = "selection"
    TOKENS = "tokens"


class OperationState(StrEnum):
    """`accepted → succeeded | failed | cancelled`. What runs at this moment, Redis knows, not Postgres."""

    ACCEPTED = "accepted"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Priority(StrEnum):
    """Urgent commands go before others of their service, eight to one."""

    NORMAL = "normal"
    URGENT = "urgent"


@dataclass(frozen=True, kw_only=True)
class NewOperation:
    """A command to accept. The same `dedupe_key` is accepted once: asking again gives the first operation.

    - Installations, and within them runs, take turns, however many commands each has.
    - Commands of one `order_key` (words without white space) run one after the other, in the order they were appended:
      the next begins when the one before has succeeded or was given up, retries and all.
    - It does not begin `not_before` that time, by the clock of Redis.
    - `payload_at` is for the outbox, which keeps payloads in the blob store that are too large to travel.
    """

    service: Service
    type: str  # the command's name, such as `prepare_target`
    payload: Mapping[str, Any]  # JSON
    dedupe_key: str
    actor: str
    run_id: RunId | None = None
    target_id: TargetId | None = None
    installation_id: InstallationId | None = None
    priority: Priority = Priority.NORMAL
    order_key: str | None = None
    not_before: datetime | None = None
    payload_at: str | None = None


@dataclass(frozen=True, kw_only=True)
class Operation:
    """An operation as it is now. `attempts` counts runs that ended with an error.

    A large payload is in the blob store at `payload_at`, and `payload` is empty then. `trace` is the W3C trace context
    of who accepted it.
    """

    id: OperationId
    service: Service
    type: str
    payload: Mapping[str, Any] = field(default_factory=dict[str, Any])
    dedupe_key: str
    actor: str
    run_id: RunId | None
    target_id: TargetId | None
    installation_id: InstallationId | None = None
    priority: Priority = Priority.NORMAL
    order_key: str | None = None
    not_before: datetime | None = None
    payload_at: str | None = None
    trace: Mapping[str, str] = field(default_factory=dict[str, str])
    state: OperationState
    attempts: int
    error: str | None
    created_at: datetime
    finished_at: datetime | None

    def repeated(self, *, dedupe_key: str, actor: str) -> NewOperation:
        """The same command once more, at once, under a dedupe key of its own."""
        return NewOperation(
            service=self.service,
            type=self.type,
            payload=self.payload,
            dedupe_key=dedupe_key,
            actor=actor,
            run_id=self.run_id,
            target_id=self.target_id,
            installation_id=self.installation_id,
            priority=self.priority,
            order_key=self.order_key,
            payload_at=self.payload_at,
        )
