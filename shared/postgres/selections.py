"""Selections and their repositories in Postgres."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import asyncpg

from ..domain.campaign import Campaign, SpecVersion
from ..domain.ids import CampaignId, RunId, SelectionId
from ..domain.roles import DEFAULT_NAMESPACE
from ..domain.selection import SelectedRepository, Selection, SelectionPhase, SelectionState
from ..errors import NotFound
from .pool import Connection
from .repository_rows import repository_from_row

_COLUMNS = (
    "id, name, coalesce((SELECT c.namespace FROM campaigns c WHERE c.id = campaign_id), namespace) AS namespace,"
    " campaign_id, run_id, schedule_id, previous_id, document, is_fresh, state, phase, found, expected,"
    " to_examine, examined, requests, points, index_as_of, included, excluded, error, created_by, created_at,"
    " finished_at"
)
_COLUMNS_BUT_DOCUMENT = _COLUMNS.replace(" document,", " '' AS document,")
_UNFINISHED = [SelectionState.PENDING.value, SelectionState.SELECTING.value]
REPOSITORY_COLUMNS = (
    "node_id", "database_id", "name_with_owner", "default_branch", "branch", "head_oid", "installation_id",
    "visibility", "is_archived", "is_fork", "is_template", "language", "topics", "properties", "created_at",
    "pushed_at", "included", "reason", "entries", "condition", "entry",
)  # fmt: skip


async def insert_selection(
    conn: Connection,
    *,
    selection_id: SelectionId,
    document: str,
    created_by: str,
    name: str = "",
    namespace: str = DEFAULT_NAMESPACE,
    campaign_id: CampaignId | None = None,
    run_id: RunId | None = None,
    schedule_id: UUID | None = None,
    previous_id: SelectionId | None = None,
    is_fresh: bool = False,
) -> Selection:
    """A new selection, pending."""
    row = await conn.fetchrow(
        "INSERT INTO selections (id, name, campaign_id, run_id, schedule_id, previous_id, document, is_fresh, state,"  # noqa: S608
        f" created_by, namespace) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 'pending', $9, $10) RETURNING {_COLUMNS}",
        selection_id,
        name,
        campaign_id,
        run_id,
        schedule_id,
        previous_id,
        document,
        is_fresh,
        created_by,
        namespace,
    )
    assert row is not None  # noqa: S101 - an INSERT that did not raise returns its row
    return _from_row(row)


async def insert_selection_of_run(
    conn: Connection,
    campaign: Campaign,
    version: SpecVersion,
    *,
    run_id: RunId,
    selection_id: SelectionId,
    created_by: str,
) -> None:
    """The selection that a run of a version begins with."""
    await insert_selection(
        conn,
        selection_id=selection_id,
        document=version.document,
        name=campaign.name,
        namespace=campaign.namespace,
        created_by=created_by,
        campaign_id=campaign.id,
        run_id=run_id,
    )


async def get_selection(conn: Connection, selection_id: SelectionId) -> Selection:
    """The selection of that id; raises `NotFound`."""
    row = await conn.fetchrow(f"SELECT {_COLUMNS} FROM selections WHERE id = $1", selection_id)  # noqa: S608
    if row is None:
        raise NotFound("selection", selection_id)
    return _from_row(row)


async def get_progress(conn: Connection, selection_id: SelectionId) -> Selection:
    """The selection of that id without its document, which may be large; raises `NotFound`."""
    row = await conn.fetchrow(f"SELECT {_COLUMNS_BUT_DOCUMENT} FROM selections WHERE id = $1", selection_id)  # noqa: S608
    if row is None:
        raise NotFound("selection", selection_id)
    return _from_row(row)


async def fetch_latest_of_campaign(conn: Connection, name: str) -> Selection | None:
    """The newest complete selection that a run of the campaign was made from."""
    row = await conn.fetchrow(
        f"SELECT {_COLUMNS} FROM selections WHERE state = 'complete' AND run_id IS NOT NULL AND campaign_id ="  # noqa: S608
        " (SELECT id FROM campaigns WHERE name = $1) ORDER BY id DESC LIMIT 1",
        name,
    )
    return _from_row(row) if row else None


async def page_selections(
    conn: Connection,
    *,
    namespaces: Sequence[str] | None,
    state: SelectionState | None = None,
    name: str | None = None,
    campaign: str | None = None,
    schedule_id: UUID | None = None,
    before: SelectionId | None = None,
    limit: int = 50,
) -> list[Selection]:
    """Selections of the namespaces (None = of all) without their documents, newest first, from the one before `before`.

    Filters that are not given let all pass. `name` is the spec's, whoever asked; `campaign` gives only what a run of
    that campaign selected.
    """
    rows = await conn.fetch(
        f"""
        SELECT * FROM (SELECT {_COLUMNS_BUT_DOCUMENT} FROM selections) seen
        WHERE ($1::text IS NULL OR state = $1) AND ($2::text IS NULL OR name = $2)
          AND ($3::text IS NULL OR campaign_id = (SELECT c.id FROM campaigns c WHERE c.name = $3))
          AND ($4::uuid IS NULL OR schedule_id = $4) AND ($5::uuid IS NULL OR id < $5)
          AND ($7::text[] IS NULL OR namespace = ANY($7))
        ORDER BY id DESC LIMIT $6
        """,  # noqa: S608
        state,
        name,
        campaign,
        schedule_id,
        before,
        limit,
        namespaces,
    )
    return [_from_row(row) for row in rows]


async def mark_selecting(conn: Connection, selection_id: SelectionId) -> bool:
    """Records that work has begun; False where the selection is finished already."""
    return await _change(conn, selection_id, "state = 'selecting'")


async def complete_selection(
    conn: Connection, selection_id: SelectionId, repositories: Sequence[SelectedRepository]
) -> bool:
    """Stores the repositories, in their order, and finishes the selection; False where it is finished already.

    The caller's transaction makes it one step: a selection has all of its repositories or none.
    """
    included = sum(1 for selected in repositories if selected.included)
    excluded = len(repositories) - included
    if not await _change(
        conn,
        selection_id,
        "state = 'complete', included = $3, excluded = $4, finished_at = now()",
        included,
        excluded,
    ):
        return False
    await conn.copy_records_to_table(
        "selection_repositories",
        columns=("selection_id", "position", *REPOSITORY_COLUMNS),
        records=[(selection_id, position, *to_record(each)) for position, each in enumerate(repositories)],
    )
    return True


async def fail_selection(conn: Connection, selection_id: SelectionId, *, error: str) -> bool:
    """Finishes a selection without repositories; False where it is finished already."""
    return await _change(conn, selection_id, "state = 'failed', error = $3, finished_at = now()", error)


async def cancel_selection(conn: Connection, selection_id: SelectionId) -> bool:
    """Finishes a selection that nobody wants any more; False where it is finished already."""
    return await _change(conn, selection_id, "state = 'cancelled', finished_at = now()")


async def list_selected(
    conn: Connection,
    selection_id: SelectionId,
    *,
    included: bool | None = None,
    after: int = -1,
    limit: int = 100,
) -> list[tuple[int, SelectedRepository]]:
    """Repositories of a selection with their positions, in order, from the position after `after` on.

    `included` True or False gives only those that are in or out.
    """
    rows = await conn.fetch(
        f"""
        SELECT position, {", ".join(REPOSITORY_COLUMNS)} FROM selection_repositories
        WHERE selection_id = $1 AND position > $2 AND ($3::boolean IS NULL OR included = $3)
        ORDER BY position LIMIT $4
        """,  # noqa: S608
        selection_id,
        after,
        included,
        limit,
    )
    return [(row["position"], selected_from_row(row)) for row in rows]


async def _change(conn: Connection, selection_id: SelectionId, assignments: str, *values: object) -> bool:
    changed = await conn.fetchval(
        f"UPDATE selections SET {assignments} WHERE id = $1 AND state = ANY($2) RETURNING id",  # noqa: S608
        selection_id,
        _UNFINISHED,
        *values,
    )
    return changed is not None


def _from_row(row: asyncpg.Record) -> Selection:
    values: dict[str, Any] = {**row, "state": SelectionState(row["state"]), "phase": SelectionPhase(row["phase"])}
    return Selection(**values)


def to_record(selected: SelectedRepository) -> tuple[object, ...]:
    """The values of `REPOSITORY_COLUMNS`."""
    repository = selected.repository
    return (
        repository.node_id, repository.database_id, repository.name_with_owner, repository.default_branch,
        selected.branch, selected.head_oid, repository.installation_id, repository.visibility.value,
        repository.is_archived, repository.is_fork, repository.is_template, repository.language,
        list(repository.topics), {name: list(values) for name, values in repository.properties.items()},
        repository.created_at, repository.pushed_at, selected.included, selected.reason,
        list(selected.entries or (selected.entry,)), selected.condition, selected.entry,
    )  # fmt: skip


def selected_from_row(row: asyncpg.Record) -> SelectedRepository:
    """What a row with `REPOSITORY_COLUMNS` says."""
    # the head of another branch is not the head of the default branch, which was not asked for then
    head_oid = row["head_oid"] if row["branch"] == row["default_branch"] else None
    return SelectedRepository(
        repository=repository_from_row(row, head_oid=head_oid),
        branch=row["branch"],
        head_oid=row["head_oid"],
        included=row["included"],
        entry=row["entry"],
        reason=row["reason"],
        entries=tuple(row["entries"]),
        condition=row["condition"],
    )
