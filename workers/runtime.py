"""What a worker is made of.

    WORKER = Worker(
        service=Service.SELECTION,
        settings_class=SelectionSettings,
        resources=open_selection,              # (settings, infrastructure) → async context manager of the context
        handlers={"select_repositories": select_repositories},
    )

`python -m workers selection` runs it. A handler gets the context and the command:

    async def select_repositories(ctx: SelectionContext, command: Command) -> None: ...

It completes its operation itself with `outbox.transaction(completing=command.operation_id)`; where it returns without
having done so (there was nothing to do), the runtime completes it. It raises to retry, defer or give up: what
becomes of each error stands in `workers/retries.py`. It never sleeps to wait for a limit.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field, replace
from typing import Any, Generic, TypeVar

from redis.asyncio import Redis

from shared.blobs.store import BlobStore
from shared.domain.ids import OperationId, RunId, TargetId
from shared.domain.operation import Service
from shared.observability.health import Check
from shared.outbox import Outbox
from shared.postgres.pool import Pool
from shared.settings import WorkerSettings
from shared.streams.requests import Requests

C = TypeVar("C")
S = TypeVar("S", bound=WorkerSettings)


async def _nobody_asked(answer: Mapping[str, Any]) -> None:
    raise TypeError(f"nobody waits for an answer to this command: {sorted(answer)}")


@dataclass(frozen=True, kw_only=True)
class Command:
    """A command as its handler sees it. `attempt` counts from 1; `is_last_attempt` says that no retry follows."""

    operation_id: OperationId
    type: str
    payload: Mapping[str, Any]
    actor: str
    attempt: int
    is_last_attempt: bool = False
    run_id: RunId | None = None
    target_id: TargetId | None = None
    reply: Callable[[Mapping[str, Any]], Awaitable[None]] = field(default=_nobody_asked, repr=False)

    def replying(self, reply: Callable[[Mapping[str, Any]], Awaitable[None]]) -> Command:
        """The same command, with the way its answer goes."""
        return replace(self, reply=reply)

    async def answer(self, answer: Mapping[str, Any]) -> None:
        """Answers the process that asked with `Requests.ask`; `answer` is JSON and holds no secret in plain text."""
        await self.reply(answer)


@dataclass(frozen=True, kw_only=True)
class Infrastructure:
    """What the runtime opens for every worker, and closes after it."""

    pool: Pool
    redis: Redis
    blobs: BlobStore
    outbox: Outbox
    requests: Requests


@dataclass(frozen=True, kw_only=True)
class Periodic(Generic[C]):
    """A job that runs about every so many seconds, in one process of the service at a time."""

    name: str
    every_seconds: float | Callable[[Any], float]  # a number, or how to read it from the worker's settings
    function: Callable[[C], Awaitable[object]]


@dataclass(frozen=True, kw_only=True)
class Worker(Generic[C, S]):
    """A worker service: its commands, their handlers, and the context they share.

    `on_failed` is called when a command is given up, before its operation is marked failed. `measure` sets gauges of
    the worker's own, every few seconds in each process that serves its metrics. `checks` are what its readiness needs
    beside what every worker's does.
    """

    service: Service
    settings_class: type[S]
    resources: Callable[[S, Infrastructure], AbstractAsyncContextManager[C]]
    handlers: Mapping[str, Callable[[C, Command], Awaitable[None]]]
    cron: Sequence[Periodic[C]] = ()
    on_failed: Callable[[C, Command, str], Awaitable[None]] | None = None
    measure: Callable[[C], Awaitable[None]] | None = None
    checks: Callable[[C], Sequence[Check]] = lambda _: ()
