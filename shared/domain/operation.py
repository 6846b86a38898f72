"""An operation: an accepted command, kept in Postgres until it is finished, whatever happens to Redis."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from .ids import OperationId, RunId, TargetId


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


@dataclass(frozen=True, kw_only=True)
class NewOperation:
    """A command to accept. The same `dedupe_key` is accepted once: asking again gives the first operation."""

    service: Service
    type: str  # the command's name, such as `prepare_target`
    payload: Mapping[str, Any]  # JSON
    dedupe_key: str
    actor: str
    run_id: RunId | None = None
    target_id: TargetId | None = None


@dataclass(frozen=True, kw_only=True)
class Operation:
    """An operation as it is now. `attempts` counts runs that ended with an error."""

    id: OperationId
    service: Service
    type: str
    payload: Mapping[str, Any] = field(default_factory=dict[str, Any])
    dedupe_key: str
    actor: str
    run_id: RunId | None
    target_id: TargetId | None
    state: OperationState
    attempts: int
    error: str | None
    created_at: datetime
    finished_at: datetime | None
