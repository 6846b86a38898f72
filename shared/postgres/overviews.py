"""Campaigns as a list shows them: each with its latest run, and those first that need somebody."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..domain.ids import CampaignId, RunId
from ..domain.run import Run
from ..domain.target import TargetState
from .pool import Connection
from .runs import list_runs

NEEDS_SOMEBODY = (TargetState.FAILED, TargetState.BLOCKED, TargetState.CONFLICTED)
"""States of targets that stay as they are until somebody acts."""


@dataclass(frozen=True, kw_only=True)
class Attention:
    """A campaign whose latest run needs somebody: it failed as a whole, or targets of it are in such a state."""

    name: str
    description: str
    run: Run
    targets: int


async def latest_runs(conn: Connection, campaign_ids: Sequence[CampaignId]) -> dict[CampaignId, Run]:
    """The latest run of each campaign that is no preview, else its latest preview; those without runs are left out."""
    rows = await conn.fetch(
        """
        SELECT coalesce(
            (SELECT id FROM runs r WHERE r.campaign_id = c.id AND NOT r.dry_run ORDER BY id DESC LIMIT 1),
            (SELECT id FROM runs r WHERE r.campaign_id = c.id ORDER BY id DESC LIMIT 1)) AS run_id
        FROM unnest($1::uuid[]) AS c (id)
        """,
        list(campaign_ids),
    )
    found = await list_runs(conn, [RunId(row["run_id"]) for row in rows if row["run_id"]])
    return {run.campaign_id: run for run in found}


async def list_attention(conn: Connection, *, namespaces: Sequence[str] | None, limit: int) -> list[Attention]:
    """Active campaigns whose latest run needs somebody, those with most such targets first.

    They are of the namespaces; None = of all.
    """
    rows = await conn.fetch(
        """
        SELECT c.name, c.description, r.id AS run_id, n.targets
        FROM campaigns c
        CROSS JOIN LATERAL (
            SELECT id, state FROM runs WHERE campaign_id = c.id AND NOT dry_run ORDER BY id DESC LIMIT 1) r
        CROSS JOIN LATERAL (
            SELECT coalesce(sum(n), 0)::bigint AS targets FROM target_counts t
            WHERE t.run_id = r.id AND t.state = ANY($1)) n
        WHERE c.state = 'active' AND (n.targets > 0 OR r.state = 'failed')
          AND ($3::text[] IS NULL OR c.namespace = ANY($3))
        ORDER BY n.targets DESC, c.name LIMIT $2
        """,
        list(NEEDS_SOMEBODY),
        limit,
        namespaces,
    )
    found = {run.id: run for run in await list_runs(conn, [RunId(row["run_id"]) for row in rows])}
    return [
        Attention(name=row["name"], description=row["description"], run=found[row["run_id"]], targets=row["targets"])
        for row in rows
    ]
