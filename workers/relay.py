"""The relay: what Postgres has accepted and Redis does not hold is appended again.

- `append_unconfirmed` looks at what no relay has seen in Redis yet: whoever committed it may have died before it
  appended. It runs every few seconds and costs nothing when there is nothing.
- `reconcile` looks at everything accepted: Redis may have lost what it held. It runs now and then, and at once when
  a worker notices that Redis was away or empty.

Both ask Redis before they append, and what is appended twice all the same is run once: the operation's state decides.
"""

from __future__ import annotations

from collections.abc import Sequence

import structlog
from redis.asyncio import Redis

from shared.domain.ids import OperationId
from shared.domain.operation import Service
from shared.observability import metrics
from shared.postgres import events, operations
from shared.postgres.pool import Connection, Pool
from shared.streams.commands import CommandStreams
from shared.streams.envelope import Envelope
from shared.streams.events import RunEvents

log = structlog.stdlib.get_logger(__name__)

PATIENCE_SECONDS = 2.0
"""How long whoever committed a command has to append it."""

RECONCILE_SECONDS = 15.0
BATCH = 1000


class Relay:
    """The relay of one service; events belong to no service, and every relay does its share of them."""

    def __init__(
        self, *, service: Service, pool: Pool, redis: Redis, patience_seconds: float = PATIENCE_SECONDS
    ) -> None:
        self._service = service
        self._pool = pool
        self._commands = CommandStreams(redis)
        self._events = RunEvents(redis)
        self._patience_seconds = patience_seconds

    async def append_unconfirmed(self) -> int:
        """Appends commands and events that were committed and not appended; gives the number of commands."""
        appended = 0
        while (batch := await self._confirm_commands()) is not None:
            appended += batch
        while await self._confirm_events():
            pass
        return appended

    async def _confirm_commands(self) -> int | None:
        async with self._pool.acquire() as conn, conn.transaction():
            waiting = await operations.claim_unconfirmed(
                conn, service=self._service, older_than_seconds=self._patience_seconds, limit=BATCH
            )
            if not waiting:
                return None
            appended = await self._append_missing(conn, waiting)
            await operations.confirm_appended(conn, operation_ids=waiting)
            return appended

    async def _confirm_events(self) -> bool:
        async with self._pool.acquire() as conn, conn.transaction():
            waiting = await events.claim_unconfirmed(conn, older_than_seconds=self._patience_seconds, limit=BATCH)
            if waiting:
                await self._events.append(waiting)
                await events.confirm_appended(conn, event_ids=[event.id for event in waiting])
            return len(waiting) == BATCH

    async def reconcile(self) -> int:
        """Appends every accepted command that Redis does not hold; gives the number."""
        appended = 0
        async with self._pool.acquire() as conn, conn.transaction():
            accepted = operations.iterate_accepted_ids(
                conn, service=self._service, older_than_seconds=self._patience_seconds, batch=BATCH
            )
            async for operation_ids in accepted:
                appended += await self._append_missing(conn, operation_ids)
        return appended

    async def _append_missing(self, conn: Connection, operation_ids: Sequence[OperationId]) -> int:
        missing = await self._commands.missing(self._service, operation_ids)
        if not missing:
            return 0
        # read again: what was finished since is not missing
        accepted = await operations.list_accepted(conn, operation_ids=missing)
        entries = await self._commands.append([Envelope.of(operation) for operation in accepted], again=True)
        appended = sum(entry.is_new for entry in entries)
        if appended:
            metrics.COMMANDS_RELAYED.labels(self._service).inc(appended)
            log.warning("commands_relayed", commands=appended)
        return appended
