"""The pool of connections to PostgreSQL."""

from __future__ import annotations

import asyncpg
import pytest

from shared.postgres import pool as pools
from shared.postgres.pool import open_pool


async def test_a_process_that_froze_in_a_transaction_holds_nobody_up(dsn: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pools, "IDLE_IN_TRANSACTION_SECONDS", 1)
    async with open_pool(dsn) as pool, pool.acquire() as frozen, pool.acquire() as other:
        await pool.execute("CREATE TABLE locked AS SELECT 1 AS n")
        transaction = frozen.transaction()
        await transaction.start()
        await frozen.execute("UPDATE locked SET n = 2")
        await other.execute("UPDATE locked SET n = n + 10")  # waits for the lock
        assert await other.fetchval("SELECT n FROM locked") == 11
        with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)):
            await transaction.commit()
        assert await other.fetchval("SELECT n FROM locked") == 11  # what was undone stays undone
