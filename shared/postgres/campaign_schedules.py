"""When campaigns run again by the `schedule` of their newest spec."""

from __future__ import annotations

from datetime import datetime

from ..domain.campaign import Campaign
from ..domain.ids import CampaignId, RunId
from .campaigns import CAMPAIGN_COLUMNS, campaign_from_row
from .pool import Connection


async def set_next_run(conn: Connection, campaign_id: CampaignId, next_run_at: datetime | None) -> None:
    """Has the campaign run again then; None = not by itself."""
    await conn.execute("UPDATE campaigns SET next_run_at = $2 WHERE id = $1", campaign_id, next_run_at)


async def claim_due(conn: Connection, *, now: datetime, limit: int = 20) -> list[Campaign]:
    """Campaigns whose time has come, the longest due first, locked until the transaction ends.

    One with a run that is not finished waits for it: its time stays, and comes when the run is over.
    """
    rows = await conn.fetch(
        f"""
        SELECT {CAMPAIGN_COLUMNS} FROM campaigns c
        WHERE next_run_at <= $1 AND state = 'active' AND closed_at IS NULL
            AND NOT EXISTS (SELECT FROM runs r WHERE r.campaign_id = c.id
                            AND r.state IN ('pending', 'selecting', 'planning', 'running'))
        ORDER BY next_run_at LIMIT $2 FOR NO KEY UPDATE OF c SKIP LOCKED
        """,  # noqa: S608
        now,
        limit,
    )
    return [campaign_from_row(row) for row in rows]


async def published_by_version(conn: Connection, run_id: RunId) -> frozenset[tuple[str, str]]:
    """What earlier runs of the same campaign and spec version have published: repositories' node ids, base branches."""
    rows = await conn.fetch(
        """
        SELECT DISTINCT t.repository_node_id, t.base_branch
        FROM runs this JOIN runs r USING (campaign_id, spec_version) JOIN targets t ON t.run_id = r.id
        WHERE this.id = $1 AND r.id <> this.id AND t.state IN ('draft', 'open', 'conflicted', 'merged', 'closed')
        """,
        run_id,
    )
    return frozenset((row["repository_node_id"], row["base_branch"]) for row in rows)
