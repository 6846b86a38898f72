"""The database schema, as a row of alembic migrations.

from migrations import upgrade, current, HEAD
upgrade(dsn)        # to the newest

alembic is imported where it is used: it takes a third of the time in which the command line starts, which seldom
needs it.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from alembic.config import Config


def _config(dsn: str = "") -> Config:
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    config.set_main_option("path_separator", "os")
    url = dsn.replace("postgresql://", "postgresql+asyncpg://", 1).replace("postgres://", "postgresql+asyncpg://", 1)
    config.set_main_option("sqlalchemy.url", url.replace("%", "%%"))
    return config


def upgrade(dsn: str, revision: str = "head") -> None:
    """Brings the database at `dsn` to `revision`; safe to run from several processes at once."""
    from alembic import command  # noqa: PLC0415

    command.upgrade(_config(dsn), revision)


@cache
def head() -> str:
    """The newest revision that this code knows."""
    from alembic.script import ScriptDirectory  # noqa: PLC0415

    return ScriptDirectory.from_config(_config()).get_current_head() or ""
