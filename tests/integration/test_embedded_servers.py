"""The servers that every other test stands on."""

from __future__ import annotations

from pathlib import Path

import asyncpg
import pytest
from redis.asyncio import Redis

from sandbox.embedded.valkey import running_valkey
from shared.postgres.pool import Pool


async def test_a_fresh_database_has_the_schema(pool: Pool) -> None:
    assert await pool.fetchval("SELECT count(*) FROM operations") == 0


async def test_spec_versions_never_change(pool: Pool) -> None:
    campaign = await pool.fetchval(
        "INSERT INTO campaigns VALUES (gen_random_uuid(), 'a', '', 'active', 1, 'me') RETURNING id"
    )
    await pool.execute("INSERT INTO spec_versions VALUES ($1, 1, 'version: 1', '', 'me')", campaign)
    with pytest.raises(asyncpg.IntegrityConstraintViolationError, match="immutable"):
        await pool.execute("UPDATE spec_versions SET document = 'other'")


async def test_valkey_keeps_its_data_over_a_restart(tmp_path: Path) -> None:
    for expected in (None, b"kept"):
        with running_valkey(tmp_path) as server:
            async with Redis.from_url(server.url) as client:
                assert await client.get("key") == expected
                await client.set("key", "kept")
