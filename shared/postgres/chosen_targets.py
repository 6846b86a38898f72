"""Targets that a filter lets through: of a run, or of a campaign across its runs."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

from ..domain.bulk import ALL_TARGETS, BulkScope, TargetFilter
from ..domain.ids import CampaignId, RunId, TargetId
from ..domain.target import Target
from .pool import Connection
from .target_conditions import CONDITIONS, values_of
from .targets import TARGET_COLUMNS, target_from_row

BATCH = 1000

_NEWEST_WITH_PULL_REQUEST = """
    SELECT DISTINCT ON (n.repository_node_id, n.base_branch, n.change_group, n.own_number) n.* FROM (
        SELECT t.*, t.pull_request_number AS own_number, max(t.pull_request_number) OVER same AS last_number
        FROM targets t JOIN runs r ON r.id = t.run_id WHERE t.campaign_id = $17 AND NOT r.dry_run
        WINDOW same AS (PARTITION BY t.repository_node_id, t.base_branch, t.change_group)
    ) n
    WHERE n.own_number IS NOT NULL OR n.last_number IS NULL
    ORDER BY n.repository_node_id, n.base_branch, n.change_group, n.own_number, n.id DESC
"""
"""The newest target of each pull request, and of what has none."""

_NEWEST = """
    SELECT DISTINCT ON (t.repository_node_id, t.base_branch, t.change_group) t.*
    FROM targets t JOIN runs r ON r.id = t.run_id WHERE t.campaign_id = $17 AND NOT r.dry_run
    ORDER BY t.repository_node_id, t.base_branch, t.change_group, t.id DESC
"""


async def page_chosen(
    conn: Connection,
    run_id: RunId,
    wanted: TargetFilter = ALL_TARGETS,
    *,
    after: TargetId | None = None,
    limit: int = 50,
) -> list[Target]:
    """Targets of a run in the order of their ids, from the one after `after`."""
    rows = await conn.fetch(
        f"""
        SELECT {TARGET_COLUMNS} FROM targets t
        WHERE t.run_id = $17 AND ($18::uuid IS NULL OR t.id > $18) AND {CONDITIONS} ORDER BY t.id LIMIT $19
        """,  # noqa: S608
        *await values_of(conn, wanted, run_id),
        run_id,
        after,
        limit,
    )
    return [target_from_row(row) for row in rows]


async def page_chosen_of_campaign(
    conn: Connection,
    campaign_id: CampaignId,
    wanted: TargetFilter = ALL_TARGETS,
    *,
    by_pull_request: bool,
    after: TargetId | None = None,
    limit: int = 50,
) -> list[Target]:
    """Targets of a campaign in the order of their ids: of each repository, branch and group the newest, no previews.

    `by_pull_request` takes the newest of each pull request instead, where there are any.
    """
    newest = _NEWEST_WITH_PULL_REQUEST if by_pull_request else _NEWEST
    rows = await conn.fetch(
        f"""
        SELECT {TARGET_COLUMNS} FROM ({newest}) t
        WHERE ($18::uuid IS NULL OR t.id > $18) AND {CONDITIONS} ORDER BY t.id LIMIT $19
        """,  # noqa: S608
        *await values_of(conn, wanted, None),
        campaign_id,
        after,
        limit,
    )
    return [target_from_row(row) for row in rows]


async def chosen_batches(
    conn: Connection, scope: BulkScope, wanted: TargetFilter, *, by_pull_request: bool
) -> AsyncIterator[list[Target]]:
    """All targets of the scope that the filter lets through, a batch at a time."""
    after: TargetId | None = None
    while True:
        if scope.run_id:
            batch = await page_chosen(conn, scope.run_id, wanted, after=after, limit=BATCH)
        else:
            batch = await page_chosen_of_campaign(
                conn,
                scope.campaign_id,
                wanted,
                by_pull_request=by_pull_request,
                after=after,
                limit=BATCH,
            )
        if batch:
            yield batch
            after = batch[-1].id
        if len(batch) < BATCH:
            return


async def superseded(conn: Connection, target_ids: Sequence[TargetId]) -> set[TargetId]:
    """Those of the targets whose branch a target of a later run of the campaign has, or is to have."""
    rows = await conn.fetch(
        """
        SELECT t.id FROM targets t WHERE t.id = ANY($1::uuid[]) AND EXISTS (
            SELECT FROM targets later JOIN runs r ON r.id = later.run_id
            WHERE later.repository_node_id = t.repository_node_id AND later.branch = t.branch
              AND later.campaign_id = t.campaign_id AND later.run_id > t.run_id AND NOT r.dry_run
              AND (later.head_oid IS NOT NULL
                   OR later.publish_as <> 'none' AND later.state NOT IN ('unchanged', 'failed', 'cancelled')))
        """,
        list(target_ids),
    )
    return {TargetId(row["id"]) for row in rows}
