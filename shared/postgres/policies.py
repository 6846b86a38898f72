"""Trust policies in Postgres, in the order in which they are considered."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

import asyncpg

from ..domain.policy import TrustPolicy
from ..domain.policy.model import MAX_POLICIES
from ..errors import NotFound
from .pool import Connection


@dataclass(frozen=True, kw_only=True)
class StoredPolicy:
    """A policy, and who gave it its present words."""

    policy: TrustPolicy
    updated_by: str
    updated_at: datetime


async def list_policies(conn: Connection) -> list[StoredPolicy]:
    """All policies, in their order."""
    rows = await conn.fetch(
        "SELECT document::text AS document, updated_by, updated_at FROM trust_policies ORDER BY position"
    )
    return [_from_row(row) for row in rows]


async def get_policy(conn: Connection, name: str) -> StoredPolicy:
    """The policy of that name; raises `NotFound`."""
    row = await conn.fetchrow(
        "SELECT document::text AS document, updated_by, updated_at FROM trust_policies WHERE name = $1", name
    )
    if row is None:
        raise NotFound("trust policy", name)
    return _from_row(row)


async def lock_policies(conn: Connection) -> None:
    """Lets nobody else change policies until the transaction ends; they can be read."""
    await conn.execute("LOCK TABLE trust_policies IN SHARE ROW EXCLUSIVE MODE")


async def replace_policies(conn: Connection, policies: Sequence[TrustPolicy], *, updated_by: str) -> None:
    """Makes these the policies, in this order; those that stay as they are keep who changed them last, and when."""
    names = [policy.name for policy in policies]
    await conn.execute("DELETE FROM trust_policies WHERE NOT (name = ANY($1::text[]))", names)
    await conn.execute(
        """
        INSERT INTO trust_policies AS present (name, position, document, updated_by)
        SELECT name, position, document, $3
        FROM unnest($1::text[], $2::jsonb[]) WITH ORDINALITY AS given (name, document, position)
        ON CONFLICT (name) DO UPDATE SET
            position = excluded.position,
            document = excluded.document,
            updated_by = CASE WHEN present.document = excluded.document
                THEN present.updated_by ELSE excluded.updated_by END,
            updated_at = CASE WHEN present.document = excluded.document
                THEN present.updated_at ELSE excluded.updated_at END
        """,
        names,
        [policy.to_document() for policy in policies],
        updated_by,
    )


async def delete_policy(conn: Connection, name: str) -> None:
    """Deletes a policy; raises `NotFound`."""
    if await conn.fetchval("DELETE FROM trust_policies WHERE name = $1 RETURNING name", name) is None:
        raise NotFound("trust policy", name)


def _from_row(row: asyncpg.Record) -> StoredPolicy:
    return StoredPolicy(policy=_read(row["document"]), updated_by=row["updated_by"], updated_at=row["updated_at"])


@lru_cache(maxsize=MAX_POLICIES)
def _read(document: str) -> TrustPolicy:
    """Policies are read for every token, and change seldom: each text is checked once."""
    return TrustPolicy.from_document(json.loads(document))
