"""What is different between two complete selections, told by node ids, so that renames are not taken for news."""

from __future__ import annotations

from typing import Any

import asyncpg

from ..domain.ids import SelectionId
from ..domain.selection_views import Change, Difference, Side
from .pool import Connection

_COMPARED = """
    WITH a AS (
        SELECT node_id, name_with_owner, branch, included, reason,
            CASE WHEN branch = default_branch THEN '' ELSE branch END AS known_as
        FROM selection_repositories WHERE selection_id = $1
    ), b AS (
        SELECT node_id, name_with_owner, branch, included, reason,
            CASE WHEN branch = default_branch THEN '' ELSE branch END AS known_as
        FROM selection_repositories WHERE selection_id = $2
    ), compared AS (
        SELECT coalesce(a.node_id, b.node_id) AS node_id,
            a.name_with_owner AS a_name, a.branch AS a_branch, a.included AS a_included, a.reason AS a_reason,
            b.name_with_owner AS b_name, b.branch AS b_branch, b.included AS b_included, b.reason AS b_reason,
            array_remove(ARRAY[
                CASE WHEN a.node_id IS NULL THEN 'added' END,
                CASE WHEN b.node_id IS NULL THEN 'gone' END,
                CASE WHEN NOT a.included AND b.included THEN 'included' END,
                CASE WHEN a.included AND NOT b.included THEN 'excluded' END,
                CASE WHEN a.name_with_owner <> b.name_with_owner THEN 'renamed' END,
                CASE WHEN a.branch <> b.branch THEN 'default_branch' END
            ], NULL) AS changes,
            lower(coalesce(b.name_with_owner, a.name_with_owner)) || ' ' || coalesce(a.node_id, b.node_id) || ' '
                || coalesce(b.known_as, a.known_as) COLLATE "C" AS place
        FROM a FULL JOIN b ON a.node_id = b.node_id AND a.known_as = b.known_as
    )
"""


async def page_differences(
    conn: Connection,
    before: SelectionId,
    after: SelectionId,
    *,
    change: Change | None = None,
    from_place: str = "",
    limit: int = 100,
) -> list[Difference]:
    """What is different, in the order of names, from the place after `from_place` on; `change` gives that one alone."""
    rows = await conn.fetch(
        f"""{_COMPARED}
        SELECT * FROM compared
        WHERE cardinality(changes) > 0 AND ($3::text IS NULL OR $3 = ANY(changes)) AND place > $4
        ORDER BY place LIMIT $5
        """,  # noqa: S608
        before,
        after,
        change,
        from_place,
        limit,
    )
    return [_from_row(row) for row in rows]


async def count_differences(conn: Connection, before: SelectionId, after: SelectionId) -> dict[Change, int]:
    """How many repositories and branches each change holds for."""
    rows = await conn.fetch(
        f"{_COMPARED} SELECT change, count(*) AS count FROM compared, unnest(changes) AS change GROUP BY 1",  # noqa: S608
        before,
        after,
    )
    counts = {row["change"]: row["count"] for row in rows}
    return {change: counts.get(change, 0) for change in Change}


def _from_row(row: asyncpg.Record) -> Difference:
    return Difference(
        node_id=row["node_id"],
        changes=tuple(Change(each) for each in row["changes"]),
        before=_side(row, "a"),
        after=_side(row, "b"),
        place=row["place"],
    )


def _side(row: asyncpg.Record, which: str) -> Side | None:
    values: dict[str, Any] = {
        "name_with_owner": row[f"{which}_name"],
        "branch": row[f"{which}_branch"],
        "included": row[f"{which}_included"],
        "reason": row[f"{which}_reason"],
    }
    return None if values["name_with_owner"] is None else Side(**values)
