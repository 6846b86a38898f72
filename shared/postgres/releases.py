"""Targets that wait for their run's rollout: which they are, what decides about them, and their release.

A target waits where it is prepared, is to be published, and was not released. Whoever releases holds the locks of
`lock_for_release` until its transaction ends, so that two never count the same room.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from ..domain.ids import CampaignId, RunId, TargetId
from ..domain.outlook import AtWork
from ..domain.release import Candidate, Facts, wave_size
from ..domain.run import Run
from ..domain.spec.rollout import Rate, Wave
from ..domain.target import Target, TargetState
from ..domain.waiting import Wait
from .pool import Connection
from .runs import get_run
from .target_counts import count_at_work, count_progress
from .targets import TARGET_COLUMNS, target_from_row

_WAITS = "t.state = 'prepared' AND t.publish_as <> 'none' AND t.released_at IS NULL"
ON_ITS_WAY = "(t.released_at IS NOT NULL OR t.pull_request_number IS NOT NULL)"
COUNTS = "t.publish_as <> 'none' AND t.state NOT IN ('unchanged', 'cancelled') AND t.detached_at IS NULL"
_TAKES_ROOM = f"""NOT t.is_imported AND t.detached_at IS NULL AND (
    t.state IN ('publishing', 'draft', 'open', 'conflicted')
    OR t.state IN ('pending', 'preparing', 'prepared', 'paused') AND {ON_ITS_WAY})"""
"""Its pull request is one of ours and open, or will be without another release."""


async def runs_to_release(conn: Connection, *, now: datetime) -> list[RunId]:
    """Runs with targets that wait, but for paused ones and those whose time has not come: one look at each run."""
    rows = await conn.fetch(
        f"""
        WITH RECURSIVE waiting AS (
            (SELECT t.run_id FROM targets t WHERE {_WAITS} ORDER BY t.run_id LIMIT 1)
            UNION ALL
            SELECT (SELECT t.run_id FROM targets t WHERE {_WAITS} AND t.run_id > w.run_id ORDER BY t.run_id LIMIT 1)
            FROM waiting w WHERE w.run_id IS NOT NULL)
        SELECT r.id FROM waiting w JOIN runs r ON r.id = w.run_id
        WHERE r.paused_at IS NULL AND (r.release_at IS NULL OR r.release_at <= $1) ORDER BY r.id
        """,  # noqa: S608
        now,
    )
    return [RunId(row["id"]) for row in rows]


async def lock_for_release(conn: Connection, run_id: RunId) -> Run:
    """The run, locked with its campaign: meanwhile no other run of it is released, and this one not paused or ended."""
    await conn.execute(
        "SELECT FROM campaigns WHERE id = (SELECT campaign_id FROM runs WHERE id = $1) FOR NO KEY UPDATE", run_id
    )
    await conn.execute("SELECT FROM runs WHERE id = $1 FOR NO KEY UPDATE", run_id)
    return await get_run(conn, run_id)


async def count_waiting(conn: Connection, run_id: RunId) -> int:
    """How many targets of the run wait."""
    return await conn.fetchval(f"SELECT count(*) FROM targets t WHERE t.run_id = $1 AND {_WAITS}", run_id)  # noqa: S608


async def at_work(conn: Connection, run_id: RunId) -> AtWork:
    """How far the run's work is, for an estimate of its end."""
    waiting, left = await count_at_work(conn, run_id)
    row = await conn.fetchrow(
        """
        SELECT count(*) AS done_lately, min(updated_at) AS done_since FROM targets t
        WHERE t.run_id = $1 AND t.updated_at > now() - interval '2 minutes'
          AND t.state NOT IN ('pending', 'preparing', 'publishing')
          AND NOT (t.state = 'prepared' AND t.publish_as <> 'none')
        """,
        run_id,
    )
    return AtWork(waiting=waiting, left=left, **dict(row or {}))


async def get_facts(
    conn: Connection,
    *,
    run_id: RunId,
    campaign_id: CampaignId,
    waves: Sequence[Wave],
    rate: Rate | None,
    now: datetime,
) -> Facts:
    """What a release is decided by; `rate` is the one that holds now."""
    known = await count_progress(conn, run_id)
    campaign = await conn.fetchrow(
        f"""
        SELECT count(DISTINCT (t.repository_node_id, t.branch)) AS open_now,
            coalesce(bool_or(t.run_id <> $2), false) AS others_open
        FROM targets t WHERE t.campaign_id = $1 AND {_TAKES_ROOM}
        """,  # noqa: S608
        campaign_id,
        run_id,
    )
    lately, since = await _released_lately(conn, campaign_id, rate, now)
    merged, passed = await _ended_well(conn, run_id, [wave_size(wave, known["with_change"]) for wave in waves])
    return Facts(**known, **dict(campaign or {}), merged=merged, passed=passed, lately=lately, since=since)


async def _ended_well(conn: Connection, run_id: RunId, sizes: Sequence[int]) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Of the first so many targets that began: how many are merged, and how many have passed their checks.

    A merged pull request counts as one whose checks passed, unless they failed.
    """
    if not sizes:
        return (), ()
    rows = await conn.fetch(
        f"""
        SELECT count(*) FILTER (WHERE b.place <= w.size AND b.state = 'merged') AS merged,
            count(*) FILTER (WHERE b.place <= w.size AND (b.checks_state = 'passed'
                                OR b.state = 'merged' AND b.checks_state <> 'failed')) AS passed
        FROM unnest($2::bigint[]) WITH ORDINALITY w (size, number) LEFT JOIN (
            SELECT t.state, t.checks_state, row_number() OVER (ORDER BY t.released_at NULLS FIRST, t.id) AS place
            FROM targets t WHERE t.run_id = $1 AND {COUNTS} AND {ON_ITS_WAY}) b ON true
        GROUP BY w.number ORDER BY w.number
        """,  # noqa: S608
        run_id,
        list(sizes),
    )
    return tuple(row["merged"] for row in rows), tuple(row["passed"] for row in rows)


async def count_by_wave(conn: Connection, run_id: RunId, sizes: Sequence[int]) -> list[dict[TargetState, int]]:
    """The targets of each wave that began, by state; `sizes` says how many of the run each makes with those before."""
    rows = await conn.fetch(
        f"""
        SELECT width_bucket(b.place, $2::bigint[]) AS wave, b.state, count(*) AS n
        FROM (SELECT t.state, row_number() OVER (ORDER BY t.released_at NULLS FIRST, t.id) - 1 AS place
              FROM targets t WHERE t.run_id = $1 AND {COUNTS} AND {ON_ITS_WAY}) b
        GROUP BY 1, 2
        """,  # noqa: S608
        run_id,
        list(sizes),
    )
    found: list[dict[TargetState, int]] = [{} for _ in sizes]
    for row in rows:
        number, state = int(row["wave"]), TargetState(row["state"])
        wave = found[min(number, len(sizes) - 1)]
        wave[state] = wave.get(state, 0) + row["n"]
    return found


async def _released_lately(
    conn: Connection, campaign_id: CampaignId, rate: Rate | None, now: datetime
) -> tuple[int, datetime | None]:
    if rate is None or not rate.count:
        return 0, None
    row = await conn.fetchrow(
        """
        SELECT count(*) AS lately, min(released_at) FILTER (WHERE place <= $3) AS since
        FROM (SELECT released_at, row_number() OVER (ORDER BY released_at DESC) AS place
              FROM targets WHERE campaign_id = $1 AND released_at > $2) released
        """,
        campaign_id,
        now - rate.period,
        rate.count,
    )
    return (row["lately"], row["since"]) if row else (0, None)


async def list_candidates(
    conn: Connection, run_id: RunId, *, only_updates: bool, most_per_repository: int | None, limit: int
) -> list[Candidate]:
    """The first targets that wait and for which there may be room, in the order of their ids.

    A target is an update where another one of the campaign has its branch, with a pull request that is open.
    """
    rows = await conn.fetch(
        f"""
        WITH waiting AS (
            SELECT w.id, w.repository_node_id,
                EXISTS (SELECT FROM targets t WHERE t.repository_node_id = w.repository_node_id AND t.branch = w.branch
                        AND t.campaign_id = w.campaign_id AND t.id <> w.id AND {_TAKES_ROOM}) AS is_update,
                CASE WHEN $3::bigint IS NULL THEN 0 ELSE
                    (SELECT count(DISTINCT t.branch) FROM targets t WHERE t.repository_node_id = w.repository_node_id
                     AND t.campaign_id = w.campaign_id AND {_TAKES_ROOM}) END AS open_in_repository
            FROM (SELECT * FROM targets t WHERE t.run_id = $1 AND {_WAITS}) w)
        SELECT * FROM waiting
        WHERE is_update OR (NOT $2 AND ($3 IS NULL OR open_in_repository < $3)) ORDER BY id LIMIT $4
        """,  # noqa: S608
        run_id,
        only_updates,
        most_per_repository,
        limit,
    )
    return [
        Candidate(
            target_id=TargetId(row["id"]),
            repository_node_id=row["repository_node_id"],
            is_update=row["is_update"],
            open_in_repository=row["open_in_repository"],
        )
        for row in rows
    ]


async def release_targets(conn: Connection, target_ids: Sequence[TargetId], *, now: datetime) -> list[Target]:
    """Marks those of the targets that wait as released, and gives them."""
    rows = await conn.fetch(
        f"UPDATE targets t SET released_at = $2 WHERE t.id = ANY($1::uuid[]) AND {_WAITS} RETURNING {TARGET_COLUMNS}",  # noqa: S608
        list(target_ids),
        now,
    )
    return [target_from_row(row) for row in rows]


async def record_wait(conn: Connection, run_id: RunId, *, waits_for: Wait | None, release_at: datetime | None) -> None:
    """Keeps what the run waits for, and when to look again."""
    await conn.execute(
        """
        UPDATE runs SET waits_for = $2, release_at = $3
        WHERE id = $1 AND (waits_for, release_at) IS DISTINCT FROM ($2::jsonb, $3::timestamptz)
        """,
        run_id,
        waits_for.to_json() if waits_for else None,
        release_at,
    )
