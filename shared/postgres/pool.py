"""The connection pool, and how Postgres types meet Python's.

    async with open_pool(settings.postgres_dsn.get_secret_value(), size=10) as pool:
        async with pool.acquire() as conn, conn.transaction():
            await runs.insert_run(conn, …)

`jsonb` columns take and give Python objects. Functions of the aggregate modules take a `Connection` first and
leave the transaction to their caller.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, TypeAlias

import asyncpg
from asyncpg.pool import PoolConnectionProxy

from ..errors import Unavailable

if TYPE_CHECKING:
    Pool: TypeAlias = asyncpg.Pool[asyncpg.Record]
    Connection: TypeAlias = asyncpg.Connection[asyncpg.Record] | PoolConnectionProxy[asyncpg.Record]
else:
    Pool = asyncpg.Pool
    Connection = asyncpg.Connection


IDLE_IN_TRANSACTION_SECONDS = 10
"""A transaction that says nothing for so long is ended by Postgres: its process froze, and others wait for its locks.

What it did not commit is undone, and it learns so when it goes on, as if Postgres had been away.
"""


async def _set_up(conn: Connection) -> None:
    await conn.execute(f"SET idle_in_transaction_session_timeout = '{IDLE_IN_TRANSACTION_SECONDS}s'")
    await conn.set_type_codec("jsonb", schema="pg_catalog", encoder=_to_jsonb, decoder=_of_jsonb, format="binary")


def _to_jsonb(value: Any) -> bytes:
    """PostgreSQL's binary form, which COPY needs: the version of the format, and the text."""
    return b"\x01" + json.dumps(value).encode()


def _of_jsonb(stored: bytes) -> Any:
    return json.loads(stored[1:])


async def _reset(conn: Connection) -> None:
    """Nothing that we do outlives a transaction, so there is no more to undo, and no round trip to spend on it."""
    if conn.is_in_transaction():
        await conn.reset()


@asynccontextmanager
async def open_pool(dsn: str, *, size: int = 10) -> AsyncIterator[Pool]:
    """A pool of at most `size` connections, closed at the end; raises `Unavailable` where none can be made."""
    try:
        pool = await asyncpg.create_pool(dsn, min_size=1, max_size=size, init=_set_up, reset=_reset, command_timeout=60)
    except (OSError, asyncpg.PostgresError) as error:
        raise Unavailable("Postgres", str(error)) from error
    async with pool:
        yield pool
