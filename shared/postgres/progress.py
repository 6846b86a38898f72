"""How far runs are: pull requests over time, and targets by owner."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from ..domain.ids import RunId, SelectionId
from ..domain.target import TargetState
from .pool import Connection
from .target_counts import Counts

MOST_STEPS = 120
"""Points of a burndown, whatever the number of targets: what a chart can show."""


@dataclass(frozen=True, kw_only=True)
class BurndownStep:
    """How many pull requests of a run had been opened by then, and of these merged, or closed for good."""

    at: datetime
    opened: int
    merged: int
    closed: int


@dataclass(frozen=True, kw_only=True)
class CountedFile:
    """Targets by state whose repositories have the same CODEOWNERS; `document` is None where they have none."""

    document: str | None
    counts: Counts


async def list_burndown(conn: Connection, run_id: RunId) -> list[BurndownStep]:
    """The pull requests of a run over time, in at most `MOST_STEPS` steps of equal length that end at their time.

    One that was closed and opened again counts as it ended. It reads an index alone, with a few entries a target.
    """
    rows = await conn.fetch(
        """
        WITH pulls AS (
            SELECT min(occurred_at) AS opened_at, max(occurred_at) AS ended_at,
                (array_agg(type ORDER BY occurred_at DESC, id DESC))[1] AS ended_as
            FROM events
            WHERE run_id = $1 AND type IN ('target.draft', 'target.open', 'target.conflicted', 'target.merged',
                                           'target.closed')
            GROUP BY target_id),
        span AS (
            SELECT min(opened_at) AS first,
                greatest((max(ended_at) - min(opened_at)) / $2::int, interval '1 second') AS step
            FROM pulls),
        moves AS (
            SELECT opened_at AS at, 1 AS opened, 0 AS merged, 0 AS closed FROM pulls
            UNION ALL
            SELECT ended_at, 0, (ended_as = 'target.merged')::int, (ended_as = 'target.closed')::int FROM pulls
            WHERE ended_as IN ('target.merged', 'target.closed')),
        steps AS (
            SELECT least(ceil(extract(epoch FROM at - first) / extract(epoch FROM step)), $2) AS number,
                sum(opened) AS opened, sum(merged) AS merged, sum(closed) AS closed
            FROM moves, span GROUP BY 1)
        SELECT first + step * number::float8 AS at, (sum(opened) OVER upto)::bigint AS opened,
            (sum(merged) OVER upto)::bigint AS merged, (sum(closed) OVER upto)::bigint AS closed
        FROM steps, span WINDOW upto AS (ORDER BY number) ORDER BY number
        """,
        run_id,
        MOST_STEPS - 1,
    )
    return [BurndownStep(**dict(row)) for row in rows]


async def count_by_file(conn: Connection, run_id: RunId, selection_id: SelectionId) -> list[CountedFile] | None:
    """The targets of a run by the CODEOWNERS of their repositories; None where nobody has looked for any yet."""
    looked = await conn.fetchval("SELECT EXISTS (SELECT FROM selection_owners WHERE selection_id = $1)", selection_id)
    if not looked:
        return None
    rows = await conn.fetch(
        """
        SELECT f.blob_oid, f.document, t.state, count(*) AS n
        FROM targets t
        LEFT JOIN selection_owners o
            ON o.selection_id = $2 AND o.node_id = t.repository_node_id AND o.branch = t.base_branch
        LEFT JOIN codeowners_files f ON f.blob_oid = o.blob_oid
        WHERE t.run_id = $1 GROUP BY f.blob_oid, t.state
        """,
        run_id,
        selection_id,
    )
    files: dict[str | None, CountedFile] = {}
    for row in rows:
        file = files.setdefault(row["blob_oid"], CountedFile(document=row["document"], counts={}))
        file.counts[TargetState(row["state"])] = row["n"]
    return list(files.values())
