"""Alembic's environment: migrations are plain SQL, run through asyncpg under an advisory lock."""

from __future__ import annotations

import asyncio

from alembic import context
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import create_async_engine

LOCK = 7_283_411_900  # any constant: two migrations at once wait for each other


def run(connection: Connection) -> None:
    """Upgrades within one transaction, so that a failed migration leaves nothing behind."""
    context.configure(connection=connection)
    with context.begin_transaction():
        connection.execute(text(f"SELECT pg_advisory_xact_lock({LOCK})"))
        context.run_migrations()


async def connect() -> None:
    """Connects to `sqlalchemy.url`, given by `migrations.upgrade`."""
    engine = create_async_engine(context.config.get_main_option("sqlalchemy.url") or "")
    async with engine.connect() as connection:
        await connection.run_sync(run)
        await connection.commit()
    await engine.dispose()


asyncio.run(connect())
