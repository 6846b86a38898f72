"""API keys in Postgres: their digests, never the keys."""

from __future__ import annotations

from dataclasses import dataclass

from ..domain.ids import new_id
from .pool import Connection


@dataclass(frozen=True, kw_only=True)
class StoredKey:
    """A key that is neither revoked nor expired; `used_lately`: it is on record that it was within the last minute."""

    name: str
    prefix: str
    digest: bytes
    used_lately: bool


async def insert_api_key(conn: Connection, *, name: str, prefix: str, digest: bytes) -> None:
    """Stores a key; the same key again changes nothing."""
    await conn.execute(
        "INSERT INTO api_keys (id, name, prefix, digest) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
        new_id(),
        name,
        prefix,
        digest,
    )


async def has_api_keys(conn: Connection) -> bool:
    """Whether any key was ever made. Locks the table against others that make the first one."""
    await conn.execute("LOCK TABLE api_keys IN SHARE ROW EXCLUSIVE MODE")
    return await conn.fetchval("SELECT EXISTS (SELECT FROM api_keys)")


async def fetch_valid_key(conn: Connection, prefix: str) -> StoredKey | None:
    """The key of that prefix, where it may be used now."""
    row = await conn.fetchrow(
        "SELECT name, prefix, digest, coalesce(last_used_at > now() - interval '1 minute', false) AS used_lately"
        " FROM api_keys WHERE prefix = $1 AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > now())",
        prefix,
    )
    return StoredKey(**dict(row)) if row else None


async def mark_used(conn: Connection, prefix: str) -> None:
    """Records that a key was used, to the minute."""
    await conn.execute(
        "UPDATE api_keys SET last_used_at = now()"
        " WHERE prefix = $1 AND (last_used_at IS NULL OR last_used_at < now() - interval '1 minute')",
        prefix,
    )
