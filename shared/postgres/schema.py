"""Which migration the database is at."""

from __future__ import annotations

import asyncpg

from ..observability.health import Check, Unhealthy
from .pool import Pool


async def fetch_revision(pool: Pool) -> str | None:
    """The migration that the database is at; None where it has none of our tables."""
    try:
        return await pool.fetchval("SELECT version_num FROM alembic_version")
    except asyncpg.UndefinedTableError:
        return None


def schema_check(pool: Pool, *, wanted: str) -> Check:
    """Whether the database is at the migration that this code knows."""

    async def ask() -> str:
        if (current := await fetch_revision(pool)) != wanted:
            raise Unhealthy(f"the schema is at {current}, this version needs {wanted}")
        return ""

    return Check("schema", ask)
