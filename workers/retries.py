"""What becomes of a command whose run ended with an error: the only place that decides it.

| error | outcome |
| --- | --- |
| `AlreadyDone` | done |
| `Defer`, `GitHubLimited` | deferred until the time they name; no attempt is spent |
| a store or a worker of ours is away | deferred a few seconds; no attempt is spent |
| `TargetBlocked`, `InstallationSuspended` | blocked: somebody must act |
| input, permissions, what GitHub refuses or does not know, a failed step | dead letter at once |
| `GitHubUnavailable`, `GitHubUnauthorized`, a timeout, anything unforeseen | retried, then dead letter |
"""

from __future__ import annotations

import random
import socket
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeAlias

import asyncpg
from redis.exceptions import RedisError

from shared import errors

FIRST_RETRY_SECONDS = 1.0
BACKOFF = 4.0
LONGEST_RETRY_SECONDS = 300.0
STORE_AWAY_SECONDS = 2.0


@dataclass(frozen=True)
class Done:
    """The effect is there."""


@dataclass(frozen=True)
class RetryAt:
    """Another attempt, from `at` on."""

    at: datetime
    why: str


@dataclass(frozen=True)
class DeferUntil:
    """The same attempt again, from `at` on."""

    at: datetime
    why: str


@dataclass(frozen=True)
class Blocked:
    """Nothing to try until somebody acts."""

    why: str


@dataclass(frozen=True)
class DeadLetter:
    """Given up."""

    why: str


Disposition: TypeAlias = Done | RetryAt | DeferUntil | Blocked | DeadLetter

BLOCKING = (errors.TargetBlocked, errors.InstallationSuspended)


class ProcessEnded(errors.OctobatchError):
    """The processes that ran a command ended before it was done, too often."""

    def __init__(self, times: int) -> None:
        super().__init__(f"the process that ran it ended {times} times before it was done")


HOPELESS = (
    ProcessEnded,
    errors.InvalidInput,
    errors.InvalidSettings,
    errors.NotFound,
    errors.Conflict,
    errors.PreconditionFailed,
    errors.NotAuthenticated,
    errors.NotPermitted,
    errors.GitHubNotFound,
    errors.GitHubForbidden,
    errors.GitHubInvalid,
    errors.InstallationNotFound,
    errors.StepFailed,
)

AWAY = (
    errors.Unavailable,
    RedisError,
    ConnectionError,
    socket.gaierror,
    asyncpg.PostgresConnectionError,
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.TooManyConnectionsError,
)
"""What says that a store or another worker is away, whoever asks: it is no fault of the command."""


def is_away(error: BaseException) -> bool:
    """Whether the error says that a store or another worker cannot be reached now."""
    if isinstance(error, asyncpg.InterfaceError):  # also misuse of a connection, which no waiting mends
        return "clos" in str(error)
    return isinstance(error, AWAY)


def classify(error: BaseException, *, attempt: int, max_attempts: int, now: datetime) -> Disposition:
    """The outcome for a run, counted from 1, that ended with `error`."""
    why = describe(error)
    if isinstance(error, errors.AlreadyDone):
        return Done()
    if isinstance(error, errors.Defer):
        return DeferUntil(max(error.until, now), why)
    if isinstance(error, errors.GitHubLimited):
        return DeferUntil(max(error.retry_at, now), why)
    if is_away(error):
        return DeferUntil(now + timedelta(seconds=STORE_AWAY_SECONDS * _jitter()), why)
    if isinstance(error, BLOCKING):
        return Blocked(why)
    if isinstance(error, HOPELESS) or attempt >= max_attempts:
        return DeadLetter(why)
    return RetryAt(now + timedelta(seconds=backoff_seconds(attempt) * _jitter()), why)


def describe(error: BaseException) -> str:
    """The error for a person: our own errors as they are, others with their type."""
    if isinstance(error, errors.OctobatchError):
        return str(error)
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__


def backoff_seconds(attempt: int) -> float:
    """The wait after the run `attempt`, before jitter: 1, 4, 16, 64, … s, at most five minutes."""
    return min(FIRST_RETRY_SECONDS * BACKOFF ** min(attempt - 1, 10), LONGEST_RETRY_SECONDS)


def _jitter() -> float:
    return random.uniform(0.8, 1.2)  # noqa: S311  # spreads retries; guards nothing
