"""Repositories that webhooks spoke of, until the index has asked GitHub what they are like now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from ..domain.ids import InstallationId
from .pool import Connection


@dataclass(frozen=True, kw_only=True)
class RepositoryChange:
    """A repository of an installation that changed; `noticed_at` is when that was last said."""

    installation_id: InstallationId
    node_id: str
    noticed_at: datetime


async def notice_changes(conn: Connection, installation_id: InstallationId, node_ids: Sequence[str]) -> None:
    """Records that repositories changed, where the installation has an index that must hear of it."""
    await conn.execute(
        """
        INSERT INTO repository_changes (installation_id, node_id)
        SELECT $1, node_id FROM unnest($2::text[]) AS node_id
        WHERE EXISTS (SELECT FROM repository_indexes WHERE installation_id = $1)
        ON CONFLICT (installation_id, node_id) DO UPDATE SET noticed_at = clock_timestamp()
        """,
        installation_id,
        node_ids,
    )


async def fetch_settled_changes(conn: Connection, *, settled: timedelta, limit: int) -> list[RepositoryChange]:
    """Changes that were last spoken of so long ago, of one installation, the longest known first."""
    rows = await conn.fetch(
        """
        SELECT installation_id, node_id, noticed_at FROM repository_changes
        WHERE noticed_at <= clock_timestamp() - $1::interval AND installation_id = (
            SELECT installation_id FROM repository_changes
            WHERE noticed_at <= clock_timestamp() - $1::interval ORDER BY noticed_at LIMIT 1
        ) ORDER BY noticed_at LIMIT $2
        """,
        settled,
        limit,
    )
    return [
        RepositoryChange(
            installation_id=InstallationId(row["installation_id"]), node_id=row["node_id"], noticed_at=row["noticed_at"]
        )
        for row in rows
    ]


async def postpone_changes(conn: Connection, installation_id: InstallationId, *, by: timedelta) -> None:
    """Has the changes of an installation wait so long from now on."""
    await conn.execute(
        "UPDATE repository_changes SET noticed_at = clock_timestamp() + $2::interval WHERE installation_id = $1",
        installation_id,
        by,
    )


async def forget_changes(conn: Connection, changes: Sequence[RepositoryChange]) -> None:
    """Removes what is taken in; what was spoken of again meanwhile stays."""
    await conn.execute(
        "DELETE FROM repository_changes c USING unnest($1::bigint[], $2::text[], $3::timestamptz[])"
        " AS d (installation_id, node_id, noticed_at) WHERE c.installation_id = d.installation_id"
        " AND c.node_id = d.node_id AND c.noticed_at = d.noticed_at",
        [each.installation_id for each in changes],
        [each.node_id for each in changes],
        [each.noticed_at for each in changes],
    )
