"""Installations of the App in Postgres: what GitHub said last, kept current by webhooks and a periodic sweep."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import asyncpg

from ..domain.ids import InstallationId
from ..domain.installation import Installation
from ..domain.permissions import parse_permissions
from ..errors import NotFound
from .pool import Connection

_COLUMNS = "id, account, account_type, repository_selection, permissions, suspended_at, updated_at"


async def upsert_installations(conn: Connection, installations: Sequence[Installation]) -> None:
    """Stores the installations as they are now, whatever was known of them before."""
    await conn.execute(
        """
        INSERT INTO installations
            (id, account, account_type, repository_selection, permissions, suspended_at, deleted_at, updated_at)
        SELECT *, NULL, now()
        FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::jsonb[], $6::timestamptz[])
        ON CONFLICT (id) DO UPDATE SET
            account = excluded.account,
            account_type = excluded.account_type,
            repository_selection = excluded.repository_selection,
            permissions = excluded.permissions,
            suspended_at = excluded.suspended_at,
            deleted_at = NULL,
            updated_at = excluded.updated_at
        """,
        [installation.id for installation in installations],
        [installation.account for installation in installations],
        [installation.account_type for installation in installations],
        [installation.repository_selection for installation in installations],
        [dict(installation.permissions) for installation in installations],
        [installation.suspended_at for installation in installations],
    )


async def mark_deleted(conn: Connection, installation_id: InstallationId) -> bool:
    """Records that the App was uninstalled; False where that, or the installation, was known already or not at all."""
    deleted = await conn.fetchval(
        "UPDATE installations SET deleted_at = now(), updated_at = now()"
        " WHERE id = $1 AND deleted_at IS NULL RETURNING id",
        installation_id,
    )
    return deleted is not None


async def mark_suspended(conn: Connection, installation_id: InstallationId) -> bool:
    """Records that an installation is suspended; False where that was known already."""
    suspended = await conn.fetchval(
        "UPDATE installations SET suspended_at = now(), updated_at = now()"
        " WHERE id = $1 AND suspended_at IS NULL RETURNING id",
        installation_id,
    )
    return suspended is not None


async def mark_all_deleted_but(conn: Connection, installation_ids: Sequence[InstallationId]) -> int:
    """Records that the App is installed nowhere else any more; gives how many installations that changed."""
    rows = await conn.fetch(
        "UPDATE installations SET deleted_at = now(), updated_at = now()"
        " WHERE deleted_at IS NULL AND NOT (id = ANY($1::bigint[])) RETURNING id",
        list(installation_ids),
    )
    return len(rows)


async def fetch_installation_of(conn: Connection, account: str) -> Installation | None:
    """The installation on an account, whose login is compared as GitHub does, without regard to case."""
    row = await conn.fetchrow(
        f"SELECT {_COLUMNS} FROM installations"  # noqa: S608
        " WHERE lower(account) = lower($1) AND deleted_at IS NULL ORDER BY updated_at DESC LIMIT 1",
        account,
    )
    return _from_row(row) if row else None


async def get_installation(conn: Connection, installation_id: InstallationId) -> Installation:
    """The installation of that id; raises `NotFound`."""
    row = await conn.fetchrow(
        f"SELECT {_COLUMNS} FROM installations WHERE id = $1 AND deleted_at IS NULL",  # noqa: S608
        installation_id,
    )
    if row is None:
        raise NotFound("installation", installation_id)
    return _from_row(row)


async def list_installations(conn: Connection) -> list[Installation]:
    """All installations, in the order of their accounts."""
    rows = await conn.fetch(
        f"SELECT {_COLUMNS} FROM installations WHERE deleted_at IS NULL ORDER BY lower(account), id"  # noqa: S608
    )
    return [_from_row(row) for row in rows]


def _from_row(row: asyncpg.Record) -> Installation:
    values: dict[str, Any] = {**row, "permissions": parse_permissions(row["permissions"])}
    return Installation(**values)
