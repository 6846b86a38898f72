"""Runs an SQL script of many statements, which SQLAlchemy's asyncpg dialect would refuse as one."""

from __future__ import annotations

from alembic import op
from sqlalchemy.util import await_only


def execute_script(script: str) -> None:
    """Runs `script` in the migration's transaction."""
    connection = op.get_bind().connection.driver_connection
    assert connection is not None
    await_only(connection.execute(script))
