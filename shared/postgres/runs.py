"""Runs in Postgres: moved only along `RUN_TRANSITIONS`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from asyncpg import Record

from ..domain.ids import CampaignId, RunId, SelectionId
from ..domain.run import Moved, Run, RunState, is_finished, states_before
from ..domain.waiting import Wait
from ..errors import NotFound
from .pool import Connection

_COLUMNS = """r.id, r.campaign_id, c.name AS campaign_name, r.spec_version, r.selection_id, r.dry_run, r.state, r.error,
    r.created_by, r.created_at, r.started_at, r.finished_at, r.paused_at, r.paused_by, r.waits_for, r.release_at,
    r.most_failures, r.is_scheduled, r.preview_run_id, r.moved"""


async def insert_run(
    conn: Connection,
    *,
    run_id: RunId,
    campaign_id: CampaignId,
    spec_version: int,
    selection_id: SelectionId | None,
    dry_run: bool,
    created_by: str,
    is_scheduled: bool = False,
    preview_run_id: RunId | None = None,
    moved: Moved = Moved.BLOCK,
) -> Run:
    """A new run whose selection is being made, or is that of the preview which it publishes."""
    row = await conn.fetchrow(
        f"""
        WITH r AS (
            INSERT INTO runs (id, campaign_id, spec_version, selection_id, dry_run, state, created_by, is_scheduled,
                              preview_run_id, moved, started_at)
            VALUES ($1, $2, $3, $4, $5, CASE WHEN $8::uuid IS NULL THEN 'selecting' ELSE 'planning' END, $6, $7, $8,
                    $9, now())
            RETURNING *)
        SELECT {_COLUMNS} FROM r JOIN campaigns c ON c.id = r.campaign_id
        """,  # noqa: S608
        run_id,
        campaign_id,
        spec_version,
        selection_id,
        dry_run,
        created_by,
        is_scheduled,
        preview_run_id,
        moved,
    )
    assert row is not None  # noqa: S101 - a run has a campaign
    return _from_row(row)


async def page_runs(
    conn: Connection,
    *,
    namespaces: Sequence[str] | None,
    campaign: str | None = None,
    states: Sequence[RunState] = (),
    since: datetime | None = None,
    after: RunId | None = None,
    oldest_first: bool = False,
    limit: int = 50,
) -> list[Run]:
    """Runs of the namespaces (None = of all), newest first, from the one after `after` in that order.

    Filters that are not given let all pass. `since` is when they were started.
    """
    is_after, direction = (">", "ASC") if oldest_first else ("<", "DESC")
    rows = await conn.fetch(
        f"""
        SELECT {_COLUMNS} FROM runs r JOIN campaigns c ON c.id = r.campaign_id
        WHERE ($1::text IS NULL OR r.campaign_id = (SELECT id FROM campaigns WHERE name = $1))
          AND (cardinality($2::text[]) = 0 OR r.state = ANY($2)) AND ($3::timestamptz IS NULL OR r.created_at >= $3)
          AND ($4::uuid IS NULL OR r.id {is_after} $4)
          AND ($6::text[] IS NULL OR c.namespace = ANY($6))
        ORDER BY r.id {direction} LIMIT $5
        """,  # noqa: S608
        campaign,
        [state.value for state in states],
        since,
        after,
        limit,
        namespaces,
    )
    return [_from_row(row) for row in rows]


async def unfinished_of_campaign(conn: Connection, campaign_id: CampaignId) -> list[RunId]:
    """The runs of a campaign that are not finished, oldest first."""
    rows = await conn.fetch(
        "SELECT id FROM runs WHERE campaign_id = $1 AND state IN ('pending', 'selecting', 'planning', 'running')"
        " ORDER BY id",
        campaign_id,
    )
    return [RunId(row["id"]) for row in rows]


async def list_unfinished(conn: Connection) -> list[Run]:
    """All runs that are not finished, oldest first."""
    rows = await conn.fetch(
        f"""SELECT {_COLUMNS} FROM runs r JOIN campaigns c ON c.id = r.campaign_id
            WHERE r.state IN ('pending', 'selecting', 'planning', 'running') ORDER BY r.id"""  # noqa: S608
    )
    return [_from_row(row) for row in rows]


async def fetch_run(conn: Connection, run_id: RunId) -> Run | None:
    """The run of that id."""
    row = await conn.fetchrow(
        f"SELECT {_COLUMNS} FROM runs r JOIN campaigns c ON c.id = r.campaign_id WHERE r.id = $1",  # noqa: S608
        run_id,
    )
    return _from_row(row) if row else None


async def list_runs(conn: Connection, run_ids: Sequence[RunId]) -> list[Run]:
    """Those of the runs that there are, newest first."""
    rows = await conn.fetch(
        f"""SELECT {_COLUMNS} FROM runs r JOIN campaigns c ON c.id = r.campaign_id
            WHERE r.id = ANY($1) ORDER BY r.id DESC""",  # noqa: S608
        list(run_ids),
    )
    return [_from_row(row) for row in rows]


async def get_run(conn: Connection, run_id: RunId) -> Run:
    """The run of that id; raises `NotFound`."""
    run = await fetch_run(conn, run_id)
    if run is None:
        raise NotFound("run", run_id)
    return run


async def unfinished_runs(conn: Connection, campaign_id: CampaignId) -> list[RunId]:
    """The runs of a campaign that go on, and those that have ended and one of whose targets began again."""
    rows = await conn.fetch(
        """
        SELECT r.id FROM runs r WHERE r.campaign_id = $1
          AND (r.state <> ALL($2) OR EXISTS (
              SELECT FROM targets t
              WHERE t.run_id = r.id AND (t.state IN ('pending', 'preparing', 'publishing')
                  OR (t.state = 'prepared' AND t.publish_as <> 'none'))))
        ORDER BY r.id
        """,
        campaign_id,
        [state.value for state in RunState if is_finished(state)],
    )
    return [RunId(row["id"]) for row in rows]


async def move_run(conn: Connection, run_id: RunId, *, to: RunState, error: str | None = None) -> bool:
    """Moves a run to `to` where the table of transitions allows it from where it is; whether it did.

    The first move sets `started_at`, a final one `finished_at`.
    """
    moved = await conn.fetchval(
        """
        UPDATE runs SET state = $2, error = coalesce($3, error), started_at = coalesce(started_at, now()),
            finished_at = CASE WHEN $4 THEN now() END
        WHERE id = $1 AND state = ANY($5) RETURNING id
        """,
        run_id,
        to,
        error,
        is_finished(to),
        list(states_before(to)),
    )
    return moved is not None


async def set_most_failures(conn: Connection, run_id: RunId, most_failures: int | None) -> None:
    """Keeps how many failed targets the run may have; more end it. None = any number."""
    if most_failures is not None:
        await conn.execute("UPDATE runs SET most_failures = $2 WHERE id = $1", run_id, most_failures)


def _from_row(row: Record) -> Run:
    waits_for = Wait.from_json(row["waits_for"]) if row["waits_for"] else None
    values: dict[str, Any] = {**dict(row), "state": RunState(row["state"]), "moved": Moved(row["moved"])}
    values["waits_for"] = waits_for
    return Run(**values)
