"""Commit, then append: how commands and events get from a transaction in Postgres to Redis.

    async with outbox.transaction() as work:
        await runs.insert_run(work.conn, …)
        [operation] = await work.accept(commands.plan_run(run_id, actor=actor))
        await work.emit(run_event(run_id, RunState.PENDING, now=now))

A handler completes its own command in the transaction of its effect, so that neither is there without the other:

    async with outbox.transaction(completing=command.operation_id) as work:
        ...

A payload that is too large to travel goes to the blob store first, under the digest of its content, and the command
carries its address.

After the commit the commands and events are appended to Redis, as well as possible; what is missing is appended
by the workers' relay. Nothing is appended where the transaction is rolled back.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from .blobs.store import BlobStore
from .domain.event import Event
from .domain.ids import OperationId
from .domain.operation import NewOperation, Operation
from .errors import AlreadyDone, InvalidInput
from .observability.traces import current_trace
from .postgres import events as event_rows
from .postgres import operations
from .postgres.pool import Connection, Pool
from .streams.commands import CommandStreams
from .streams.envelope import Envelope
from .streams.events import RunEvents

log = structlog.stdlib.get_logger(__name__)

LARGEST_PAYLOAD_BYTES = 64 * 1024
"""Largest payload that travels with its command."""


class Work:
    """One transaction: `conn` for SQL, and what is to be appended when it is committed."""

    def __init__(self, conn: Connection, blobs: BlobStore | None) -> None:
        self.conn = conn
        self._blobs = blobs
        self.envelopes: list[Envelope] = []
        self.events: list[Event] = []

    async def accept(self, *commands: NewOperation) -> list[Operation]:
        """Stores the commands as operations, in their order; a dedupe key that was accepted gives the first one.

        Raises `InvalidInput` where a command cannot travel, `Unavailable` where the blob store is away.
        """
        travelling = [await self._lightened(command) for command in commands]
        accepted, new = await operations.accept_operations(self.conn, commands=travelling, trace=current_trace())
        envelopes = [Envelope.of(operation) for operation in new]
        for envelope in envelopes:
            envelope.to_json()
        self.envelopes += envelopes
        return accepted

    async def _lightened(self, command: NewOperation) -> NewOperation:
        content = json.dumps(dict(command.payload), separators=(",", ":")).encode()
        if len(content) <= LARGEST_PAYLOAD_BYTES:
            return command
        if self._blobs is None:
            raise InvalidInput(f"the payload of {command.type} has {len(content)} bytes, and there is no blob store")
        address = f"commands/{hashlib.sha256(content).hexdigest()}"
        await self._blobs.put(address, content, media_type="application/json")
        return replace(command, payload={}, payload_at=address)

    async def emit(self, *events: Event) -> None:
        """Stores the events."""
        if events:
            await event_rows.insert_events(self.conn, events=events)
            self.events += events


class Outbox:
    """Transactions whose commands and events reach Redis after the commit.

    `on_completed` is told of each operation that a transaction completed, after its commit.
    """

    def __init__(
        self,
        pool: Pool,
        redis: Redis,
        *,
        blobs: BlobStore | None = None,
        on_completed: Callable[[OperationId], None] | None = None,
    ) -> None:
        self._pool = pool
        self._blobs = blobs
        self._commands = CommandStreams(redis)
        self._events = RunEvents(redis)
        self._on_completed = on_completed

    @asynccontextmanager
    async def transaction(self, *, completing: OperationId | None = None) -> AsyncIterator[Work]:
        """One Postgres transaction, committed at the end of the block.

        `completing` marks that operation succeeded in the same transaction, first thing, and so locks its row; raises
        `AlreadyDone` where it is not `accepted` any more.
        """
        async with self._pool.acquire() as conn, conn.transaction():
            if completing and not await operations.complete_operation(conn, completing):
                raise AlreadyDone(f"operation {completing} is finished")
            work = Work(conn, self._blobs)
            yield work
        if completing and self._on_completed:
            self._on_completed(completing)
        await self._append(work)

    async def _append(self, work: Work) -> None:
        try:
            if work.events:
                await self._events.append(work.events)
            if work.envelopes:
                await self._commands.append(work.envelopes)
        except (RedisError, OSError) as error:
            log.warning("outbox_left_to_relay", commands=len(work.envelopes), events=len(work.events), error=str(error))
