"""Installations of the App in Postgres: what GitHub said last, kept current by webhooks and a periodic sweep.

Whatever changes a row writes what changed into `installation_events`, in the same transaction and once.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import asyncpg

from ..domain.drift import Change, changes, is_as_known
from ..domain.ids import InstallationId
from ..domain.installation import Installation
from ..domain.permissions import parse_permissions
from ..errors import NotFound
from .installation_events import insert_changes
from .pool import Connection

_COLUMNS = (
    "id, account, account_type, repository_selection, permissions, suspended_at, deleted_at, updated_at,"
    " webhook_url, webhook_events, missing, excessive, checked_at"
)
_ONE_AT_A_TIME = 0x0C70_BA7C_0000_0004
"""The advisory lock of who stores installations."""


@dataclass(frozen=True, kw_only=True)
class Stored:
    """`changes` were recorded, and something is new of the `touched`, also where it is no change to tell of.

    Of the `contested` another stored a different answer after the asker had looked.
    """

    changes: Sequence[Change] = ()
    touched: Collection[InstallationId] = ()
    contested: Collection[InstallationId] = ()


async def store_installations(
    conn: Connection, found: Sequence[Installation], *, since: Mapping[InstallationId, datetime | None]
) -> Stored:
    """Stores what GitHub said of installations, in a transaction of the caller's, and what changed by it.

    `since` has the `checked_at` of each that was known before GitHub was asked. One that was stored since then is
    contested and left alone, unless nothing is new: an older answer must not take the place of a newer one.
    """
    await conn.execute("SELECT pg_advisory_xact_lock($1)", _ONE_AT_A_TIME)
    rows = await conn.fetch(
        f"SELECT {_COLUMNS} FROM installations WHERE id = ANY($1::bigint[]) FOR UPDATE",  # noqa: S608
        [each.id for each in found],
    )
    known = {row["id"]: _from_row(row) for row in rows}
    contested = {
        each.id
        for each in found
        if (known[each.id].checked_at if each.id in known else None) != since.get(each.id)
        and not is_as_known(known.get(each.id), each)
    }
    storing = [each for each in found if each.id not in contested]
    changed = [change for each in storing for change in changes(known.get(each.id), each)]
    await _upsert(conn, storing)
    await insert_changes(conn, changed)
    touched = {each.id for each in storing if not is_as_known(known.get(each.id), each)}
    return Stored(changes=changed, touched=touched, contested=contested)


async def fetch_checks(conn: Connection) -> dict[InstallationId, datetime | None]:
    """When each installation was checked last, those that were uninstalled too."""
    return {row["id"]: row["checked_at"] for row in await conn.fetch("SELECT id, checked_at FROM installations")}


async def fetch_installation(conn: Connection, installation_id: InstallationId) -> Installation | None:
    """The installation of that id, also where it was uninstalled."""
    row = await conn.fetchrow(f"SELECT {_COLUMNS} FROM installations WHERE id = $1", installation_id)  # noqa: S608
    return _from_row(row) if row else None


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


async def list_troubled(conn: Connection) -> list[Installation]:
    """Those that grant something else than is expected, or are suspended, in the order of their accounts."""
    rows = await conn.fetch(
        f"SELECT {_COLUMNS} FROM installations WHERE deleted_at IS NULL"  # noqa: S608
        " AND (missing <> '{}' OR excessive <> '{}' OR suspended_at IS NOT NULL) ORDER BY lower(account), id"
    )
    return [_from_row(row) for row in rows]


async def count_installations(conn: Connection) -> tuple[int, int]:
    """How many are active, and how many are suspended."""
    row = await conn.fetchrow(
        """SELECT count(*) FILTER (WHERE suspended_at IS NULL) AS active,
                  count(*) FILTER (WHERE suspended_at IS NOT NULL) AS suspended
           FROM installations WHERE deleted_at IS NULL"""
    )
    return (row["active"], row["suspended"]) if row else (0, 0)


async def _upsert(conn: Connection, installations: Sequence[Installation]) -> None:
    facts = [
        {
            "id": each.id,
            "account": each.account,
            "account_type": each.account_type,
            "repository_selection": each.repository_selection,
            "permissions": dict(each.permissions),
            "suspended_at": each.suspended_at.isoformat() if each.suspended_at else None,
            "deleted_at": each.deleted_at.isoformat() if each.deleted_at else None,
            "updated_at": each.updated_at.isoformat(),
            "webhook_url": each.webhook_url,
            "webhook_events": list(each.webhook_events),
            "missing": dict(each.missing),
            "excessive": dict(each.excessive),
        }
        for each in installations
    ]
    await conn.execute(
        f"""
        INSERT INTO installations ({_COLUMNS})
        SELECT id, account, account_type, repository_selection, permissions, suspended_at, deleted_at, updated_at,
               webhook_url, webhook_events, missing, excessive, clock_timestamp()
        FROM unnest($1::jsonb[]) AS facts, jsonb_populate_record(NULL::installations, facts)
        ON CONFLICT (id) DO UPDATE SET
            account = excluded.account,
            account_type = excluded.account_type,
            repository_selection = excluded.repository_selection,
            permissions = excluded.permissions,
            suspended_at = excluded.suspended_at,
            deleted_at = excluded.deleted_at,
            updated_at = excluded.updated_at,
            webhook_url = excluded.webhook_url,
            webhook_events = excluded.webhook_events,
            missing = excluded.missing,
            excessive = excluded.excessive,
            checked_at = excluded.checked_at
        """,  # noqa: S608
        facts,
    )


def _from_row(row: asyncpg.Record) -> Installation:
    values: dict[str, Any] = {
        **row,
        **{name: parse_permissions(row[name]) for name in ("permissions", "missing", "excessive")},
        "webhook_events": tuple(row["webhook_events"]),
    }
    return Installation(**values)
