"""The index of repositories in Postgres: what is known of each, and how current that is."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import asyncpg

from ..domain.ids import InstallationId
from ..domain.repository import Properties, Repository
from ..domain.repository_index import RepositoryIndex
from .pool import Connection
from .repository_rows import repository_from_row

_COLUMNS = (
    "node_id", "database_id", "installation_id", "name_with_owner", "default_branch", "head_oid", "visibility",
    "is_archived", "is_fork", "is_template", "language", "topics", "properties", "created_at", "pushed_at",
)  # fmt: skip
_UPDATES = ", ".join(f"{column} = excluded.{column}" for column in _COLUMNS if column not in {"node_id", "properties"})
_INDEX = "installation_id, account, completed_at, swept_at, sweep_started_at, sweep_cursor, total, uncounted, error"


async def upsert_repositories(conn: Connection, repositories: Sequence[Repository], *, seen_at: datetime) -> None:
    """Takes in what GitHub said of repositories at `seen_at`, but for their custom properties.

    What was seen later already stays as it is.
    """
    columns = list(zip(*(_to_record(each) for each in repositories), strict=True))
    if not columns:
        return
    await conn.execute(
        f"""
        INSERT INTO repositories ({", ".join(_COLUMNS)}, seen_at)
        SELECT node_id, database_id, installation_id, name_with_owner, default_branch, head_oid, visibility,
            is_archived, is_fork, is_template, language, ARRAY(SELECT jsonb_array_elements_text(topics -> 'all')),
            properties, created_at, pushed_at, $16
        FROM unnest($1::text[], $2::bigint[], $3::bigint[], $4::text[], $5::text[], $6::text[], $7::text[],
            $8::boolean[], $9::boolean[], $10::boolean[], $11::text[], $12::jsonb[], $13::jsonb[],
            $14::timestamptz[], $15::timestamptz[]) AS r ({", ".join(_COLUMNS)})
        ON CONFLICT (node_id) DO UPDATE SET {_UPDATES}, seen_at = excluded.seen_at
        WHERE repositories.seen_at <= excluded.seen_at
        """,  # noqa: S608
        *columns,
        seen_at,
    )


async def set_properties(
    conn: Connection, installation_id: InstallationId, properties: Mapping[int, Properties]
) -> None:
    """Gives an installation's repositories these custom properties (by database id), and no others."""
    await conn.execute(
        """
        UPDATE repositories SET properties = coalesce(p.properties, '{}')
        FROM repositories r LEFT JOIN unnest($2::bigint[], $3::jsonb[]) AS p (database_id, properties)
            USING (database_id)
        WHERE repositories.node_id = r.node_id AND r.installation_id = $1
            AND repositories.properties <> coalesce(p.properties, '{}')
        """,
        installation_id,
        list(properties),
        [{name: list(values) for name, values in each.items()} for each in properties.values()],
    )


async def remove_repositories(conn: Connection, installation_id: InstallationId, node_ids: Sequence[str]) -> None:
    """Forgets repositories that an installation has no more."""
    await conn.execute(
        "DELETE FROM repositories WHERE installation_id = $1 AND node_id = ANY($2)", installation_id, node_ids
    )


async def remove_unseen(conn: Connection, installation_id: InstallationId, *, before: datetime) -> int:
    """Forgets an installation's repositories that a listing, begun at `before`, did not have; says how many."""
    gone = await conn.fetch(
        "DELETE FROM repositories WHERE installation_id = $1 AND seen_at < $2 RETURNING node_id",
        installation_id,
        before,
    )
    return len(gone)


async def forget_index(conn: Connection, installation_id: InstallationId) -> None:
    """Forgets an installation that the App is not installed on any more, with all its repositories."""
    for table in ("repositories", "repository_indexes", "repository_changes"):
        await conn.execute(f"DELETE FROM {table} WHERE installation_id = $1", installation_id)  # noqa: S608


async def iter_index(
    conn: Connection, installation_id: InstallationId, *, batch: int = 2000
) -> AsyncIterator[list[Repository]]:
    """All repositories of an installation, oldest first, so many at a time. The connection must be in a transaction."""
    cursor = await conn.cursor(
        f"SELECT {', '.join(_COLUMNS)} FROM repositories WHERE installation_id = $1 ORDER BY created_at, database_id",  # noqa: S608
        installation_id,
    )
    while rows := await cursor.fetch(batch):
        yield [_from_row(row) for row in rows]


async def count_repositories(conn: Connection, installation_id: InstallationId) -> int:
    """How many repositories of an installation the index has."""
    return await conn.fetchval("SELECT count(*) FROM repositories WHERE installation_id = $1", installation_id)


async def count_by_installation(conn: Connection) -> dict[InstallationId, int]:
    """How many repositories the index has of each installation that it has any of."""
    rows = await conn.fetch("SELECT installation_id, count(*) AS count FROM repositories GROUP BY installation_id")
    return {InstallationId(row["installation_id"]): row["count"] for row in rows}


async def fetch_index(conn: Connection, installation_id: InstallationId) -> RepositoryIndex | None:
    """How far the index of an installation is."""
    row = await conn.fetchrow(f"SELECT {_INDEX} FROM repository_indexes WHERE installation_id = $1", installation_id)  # noqa: S608
    return RepositoryIndex(**row) if row else None


async def list_indexes(conn: Connection) -> list[RepositoryIndex]:
    """How far every index is."""
    rows = await conn.fetch(f"SELECT {_INDEX} FROM repository_indexes ORDER BY installation_id")  # noqa: S608
    return [RepositoryIndex(**row) for row in rows]


async def record_index(conn: Connection, index: RepositoryIndex) -> None:
    """Records how far an index is."""
    await conn.execute(
        f"""
        INSERT INTO repository_indexes ({_INDEX}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
        ON CONFLICT (installation_id) DO UPDATE SET account = $2, completed_at = $3, swept_at = $4,
            sweep_started_at = $5, sweep_cursor = $6, total = $7, uncounted = $8, error = $9
        """,  # noqa: S608
        index.installation_id,
        index.account,
        index.completed_at,
        index.swept_at,
        index.sweep_started_at,
        index.sweep_cursor,
        index.total,
        index.uncounted,
        index.error,
    )


async def record_sweep(conn: Connection, installation_id: InstallationId, *, swept_at: datetime, total: int) -> None:
    """Records that a complete index was current at that moment."""
    await conn.execute(
        "UPDATE repository_indexes SET swept_at = greatest(swept_at, $2), total = $3, error = NULL"
        " WHERE installation_id = $1 AND completed_at IS NOT NULL",
        installation_id,
        swept_at,
        total,
    )


async def note_index_error(conn: Connection, index: RepositoryIndex, *, error: str) -> None:
    """Records why an index could not be swept."""
    await conn.execute(
        "INSERT INTO repository_indexes (installation_id, account, error) VALUES ($1, $2, $3)"
        " ON CONFLICT (installation_id) DO UPDATE SET error = $3",
        index.installation_id,
        index.account,
        error,
    )


def _to_record(repository: Repository) -> tuple[Any, ...]:
    properties = {name: list(values) for name, values in repository.properties.items()}
    topics = {"all": list(repository.topics)}  # arrays of arrays must be of one length in PostgreSQL
    return (
        repository.node_id, repository.database_id, repository.installation_id, repository.name_with_owner,
        repository.default_branch, repository.head_oid, repository.visibility.value, repository.is_archived,
        repository.is_fork, repository.is_template, repository.language, topics, properties,
        repository.created_at, repository.pushed_at,
    )  # fmt: skip


def _from_row(row: asyncpg.Record) -> Repository:
    return repository_from_row(row, head_oid=row["head_oid"])
