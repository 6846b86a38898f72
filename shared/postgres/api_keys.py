"""API keys in Postgres: their digests, never the keys."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg

from ..domain.ids import new_id
from ..domain.roles import ADMIN_OF_ALL, ALL_SCOPES, Grant, KeyScope, grants_from_json, grants_to_json
from ..errors import AlreadyExists, NotFound
from .pool import Connection

_COLUMNS = (
    "id, name, prefix, grants, scopes, created_by, created_at, expires_at, last_used_at, revoked_at, rotated_from"
)
_VALID = "revoked_at IS NULL AND (expires_at IS NULL OR expires_at > now())"


@dataclass(frozen=True, kw_only=True)
class ApiKey:
    """All that is known of a key. `prefix` is its beginning, which is no secret; `rotated_from` the key it replaced."""

    id: UUID
    name: str
    prefix: str
    grants: tuple[Grant, ...]
    scopes: frozenset[KeyScope]
    created_by: str
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None
    revoked_at: datetime | None
    rotated_from: UUID | None


@dataclass(frozen=True, kw_only=True)
class StoredKey:
    """A key that is neither revoked nor expired; `used_lately`: it is on record that it was within the last minute."""

    name: str
    prefix: str
    digest: bytes
    grants: tuple[Grant, ...]
    scopes: frozenset[KeyScope]
    used_lately: bool


@dataclass(frozen=True, kw_only=True)
class NewKey:
    """A key to store: the digest, and what it is for."""

    name: str
    prefix: str
    digest: bytes
    grants: tuple[Grant, ...] = ADMIN_OF_ALL
    scopes: frozenset[KeyScope] = ALL_SCOPES
    created_by: str
    expires_at: datetime | None = None
    rotated_from: UUID | None = None


async def insert_api_key(conn: Connection, key: NewKey) -> ApiKey:
    """Stores a key; raises `AlreadyExists` where a valid one of that name is no predecessor of it.

    Names of keys are how their owners are known, so that no two owners have the same.
    """
    await conn.execute("LOCK TABLE api_keys IN SHARE ROW EXCLUSIVE MODE")
    taken = await conn.fetchval(
        f"SELECT EXISTS (SELECT FROM api_keys WHERE name = $1 AND {_VALID} AND $2::uuid IS NULL)",  # noqa: S608
        key.name,
        key.rotated_from,
    )
    if taken:
        raise AlreadyExists("API key", key.name)
    row = await conn.fetchrow(f"{_INSERT} RETURNING {_COLUMNS}", *_values(key))
    assert row is not None  # noqa: S101 - an INSERT that did not raise returns its row
    return _from_row(row)


async def ensure_api_key(conn: Connection, key: NewKey) -> None:
    """Stores a key; the same key again, a revoked one too, changes nothing."""
    await conn.execute(f"{_INSERT} ON CONFLICT DO NOTHING", *_values(key))


_INSERT = """INSERT INTO api_keys (id, name, prefix, digest, grants, scopes, created_by, expires_at, rotated_from)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)"""


def _values(key: NewKey) -> tuple[object, ...]:
    return (
        new_id(), key.name, key.prefix, key.digest, grants_to_json(key.grants),
        sorted(scope.value for scope in key.scopes), key.created_by, key.expires_at, key.rotated_from,
    )  # fmt: skip


async def has_api_keys(conn: Connection) -> bool:
    """Whether any key was ever made. Locks the table against others that make the first one."""
    await conn.execute("LOCK TABLE api_keys IN SHARE ROW EXCLUSIVE MODE")
    return await conn.fetchval("SELECT EXISTS (SELECT FROM api_keys)")


async def fetch_valid_key(conn: Connection, prefix: str) -> StoredKey | None:
    """The key of that prefix, where it may be used now."""
    row = await conn.fetchrow(
        "SELECT name, prefix, digest, grants, scopes,"  # noqa: S608
        " coalesce(last_used_at > now() - interval '1 minute', false) AS used_lately"
        f" FROM api_keys WHERE prefix = $1 AND {_VALID}",
        prefix,
    )
    return StoredKey(**_read(row)) if row else None


async def get_api_key(conn: Connection, key_id: UUID) -> ApiKey:
    """The key of that id, a revoked one too; raises `NotFound`."""
    row = await conn.fetchrow(f"SELECT {_COLUMNS} FROM api_keys WHERE id = $1", key_id)  # noqa: S608
    if row is None:
        raise NotFound("API key", key_id)
    return _from_row(row)


async def page_api_keys(conn: Connection, *, before: UUID | None = None, limit: int = 50) -> list[ApiKey]:
    """Keys, newest first; those that are revoked or have expired too."""
    rows = await conn.fetch(
        f"SELECT {_COLUMNS} FROM api_keys WHERE $1::uuid IS NULL OR id < $1 ORDER BY id DESC LIMIT $2",  # noqa: S608
        before,
        limit,
    )
    return [_from_row(row) for row in rows]


async def revoke_api_key(conn: Connection, key_id: UUID) -> ApiKey:
    """Ends a key at once; once more changes nothing. Raises `NotFound`."""
    await conn.execute("UPDATE api_keys SET revoked_at = coalesce(revoked_at, now()) WHERE id = $1", key_id)
    return await get_api_key(conn, key_id)


async def expire_api_key(conn: Connection, key_id: UUID, *, after: timedelta) -> None:
    """Ends a key after that time, where it does not end earlier."""
    await conn.execute(
        "UPDATE api_keys SET expires_at = least(expires_at, now() + $2::interval) WHERE id = $1", key_id, after
    )


async def mark_used(conn: Connection, prefix: str) -> None:
    """Records that a key was used, to the minute."""
    await conn.execute(
        "UPDATE api_keys SET last_used_at = now()"
        " WHERE prefix = $1 AND (last_used_at IS NULL OR last_used_at < now() - interval '1 minute')",
        prefix,
    )


def _from_row(row: asyncpg.Record) -> ApiKey:
    return ApiKey(**_read(row))


def _read(row: asyncpg.Record) -> dict[str, Any]:
    scopes: Sequence[str] = row["scopes"]
    return {
        **dict(row),
        "grants": grants_from_json(row["grants"]),
        "scopes": frozenset(KeyScope(scope) for scope in scopes),
    }
