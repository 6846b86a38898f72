"""What the index of installations' repositories knows of one repository, to explain why no entry found it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from .pool import Connection


@dataclass(frozen=True, kw_only=True)
class KnownRepository:
    """A repository as the index has it; `seen_at` is when GitHub told of it last."""

    node_id: str
    name_with_owner: str
    is_archived: bool
    created_at: datetime | None
    seen_at: datetime


async def fetch_known(
    conn: Connection, *, name: str | None = None, node_id: str | None = None
) -> KnownRepository | None:
    """The repository of that owner/name, whatever its case, or of that node id; None where the index has none."""
    row = await conn.fetchrow(
        """
        SELECT node_id, name_with_owner, is_archived, created_at, seen_at FROM repositories
        WHERE lower(name_with_owner) = lower($1) OR node_id = $2 ORDER BY seen_at DESC LIMIT 1
        """,
        name,
        node_id,
    )
    return KnownRepository(**dict(row)) if row else None


async def is_indexed(conn: Connection, account: str) -> bool:
    """Whether the index has all repositories of that account's installation."""
    return await conn.fetchval(
        "SELECT EXISTS (SELECT FROM repository_indexes WHERE lower(account) = lower($1) AND completed_at IS NOT NULL)",
        account,
    )
