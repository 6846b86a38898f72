"""Commit, then append: how commands and events get from a transaction in Postgres to Redis.

    async with outbox.transaction() as work:
        await runs.insert_run(work.conn, …)
        [operation] = await work.accept(commands.plan_run(run_id, actor=actor))
        await work.emit(run_event(run_id, RunState.PENDING, now=now))

A handler completes its own command in the transaction of its effect, so that neither is there without the other:

    async with outbox.transaction(completing=command.operation_id) as work:
        ...

After the commit the commands and events are appended to Redis, as well as possible; what is missing is appended
by the workers' relay. Nothing is appended where the transaction is rolled back.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from redis.asyncio import Redis

from .domain.event import Event
from .domain.ids import OperationId
from .domain.operation import NewOperation, Operation
from .postgres.pool import Connection, Pool


class Work:
    """One transaction: `conn` for SQL, and what is to be appended when it is committed."""

    def __init__(self, conn: Connection) -> None:
        self.conn = conn

    async def accept(self, *commands: NewOperation) -> list[Operation]:
        """Stores the commands as operations, in their order; a dedupe key that was accepted gives the first one."""
        raise NotImplementedError

    async def emit(self, *events: Event) -> None:
        """Stores the events."""
        raise NotImplementedError


class Outbox:
    """Transactions whose commands and events reach Redis after the commit."""

    def __init__(self, pool: Pool, redis: Redis, *, on_completed: Callable[[OperationId], None] | None = None) -> None:
        self._pool = pool
        self._redis = redis
        self._on_completed = on_completed

    @asynccontextmanager
    async def transaction(self, *, completing: OperationId | None = None) -> AsyncIterator[Work]:
        """One Postgres transaction, committed at the end of the block.

        `completing` marks that operation succeeded in the same transaction, first thing, and so locks its row; raises
        `AlreadyDone` where it is not `accepted` any more.
        """
        raise NotImplementedError
        yield
