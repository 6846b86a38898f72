"""Targets as people look at them: sorted and filtered, of one run or of all, with counts by facet.

Of all runs, a target is shown where no later run of its campaign has its branch; previews are left out.
"""

# ruff: noqa: S608  # what is put into SQL here are constants of this module

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from ..domain.bulk import ALL_TARGETS, TargetFilter
from ..domain.ids import RunId
from ..domain.target_views import Cell, FacetCounts, TargetRow, TargetSort, count_facets
from . import target_counts
from .pool import Connection
from .target_conditions import CONDITIONS, values_of
from .targets import TARGET_COLUMNS, target_from_row

MOST_COUNTED = 10_000
"""Targets of all runs that are counted by facet."""

ENDED = "('merged', 'closed', 'unchanged', 'cancelled')"
"""States in which nobody waits for a target; those of the index `targets_not_ended`."""

_COLUMNS = {
    "repository": ('lower(t.repository) COLLATE "C"', "text"),
    "state": ("t.state", "text"),
    "updated": ("t.updated_at", "timestamptz"),
    "size": ("coalesce(t.additions, 0) + coalesce(t.deletions, 0)", "integer"),
}

_OF_ALL = """$17::uuid IS NULL AND NOT r.dry_run
    AND ($18::text IS NULL OR t.campaign_id = (SELECT id FROM campaigns WHERE name = $18))
    AND ($19::text[] IS NULL OR t.campaign_id IN (SELECT id FROM campaigns WHERE namespace = ANY($19)))
    AND NOT EXISTS (
        SELECT FROM targets later JOIN runs l ON l.id = later.run_id
        WHERE later.repository_node_id = t.repository_node_id AND later.branch = t.branch
          AND later.campaign_id = t.campaign_id AND later.run_id > t.run_id AND NOT l.dry_run)"""
_OF_RUN = "t.run_id = $17 AND $18::text IS NULL AND $19::text[] IS NULL"


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where a page ends: the value that it is ordered by, and the id."""

    value: str | int | datetime
    target_id: UUID


@dataclass(frozen=True, kw_only=True)
class Scope:
    """Whose targets: those of a run; or of all runs, of a campaign alone where one is named, and ended ones or not.

    Of all runs only those of the `namespaces` are looked at; None = of all namespaces.
    """

    namespaces: Sequence[str] | None
    run_id: RunId | None = None
    campaign: str | None = None
    with_ended: bool = True

    @property
    def sql(self) -> str:
        """The condition, of `targets t` and `runs r`; `$17` is the run, `$18` the campaign's name, `$19` namespaces."""
        if self.run_id:
            return _OF_RUN
        return _OF_ALL if self.with_ended else f"{_OF_ALL} AND t.state NOT IN {ENDED}"


async def page_table(
    conn: Connection,
    scope: Scope,
    wanted: TargetFilter,
    *,
    sort: TargetSort = TargetSort.REPOSITORY,
    after: Place | None = None,
    limit: int = 100,
) -> list[TargetRow]:
    """Targets with their campaigns in that order, from the place after `after` on; raises `InvalidInput`."""
    column, kind = _COLUMNS[sort.column]
    is_after, direction = ("<", "DESC") if sort.is_descending else (">", "ASC")
    rows = await conn.fetch(
        f"""
        SELECT c.name AS campaign_name, {TARGET_COLUMNS}
        FROM targets t JOIN runs r ON r.id = t.run_id JOIN campaigns c ON c.id = t.campaign_id
        WHERE {scope.sql} AND {CONDITIONS}
          AND ($21::uuid IS NULL OR ({column}, t.id) {is_after} ($20::{kind}, $21))
        ORDER BY {column} {direction}, t.id {direction} LIMIT $22
        """,
        *await values_of(conn, wanted, scope.run_id),
        scope.run_id,
        scope.campaign,
        None if scope.run_id else scope.namespaces,
        after.value if after else None,
        after.target_id if after else None,
        limit,
    )
    return [TargetRow(target=target_from_row(row), campaign=row["campaign_name"]) for row in rows]


def place_of(row: TargetRow, sort: TargetSort) -> Place:
    """Where a row stands in that order."""
    target, stat = row.target, row.target.diff_stat
    values: dict[str, Any] = {
        "repository": target.repository.lower(),
        "state": target.state.value,
        "updated": target.updated_at,
        "size": stat.additions + stat.deletions if stat else 0,
    }
    return Place(value=values[sort.column], target_id=target.id)


async def count_table(conn: Connection, scope: Scope, wanted: TargetFilter) -> FacetCounts:
    """How many targets there are, and of each kind; of all runs the first `MOST_COUNTED` are counted."""
    but_for_facets = wanted.model_copy(
        update={"states": (), "review_states": (), "checks_states": (), "has_warnings": None}
    )
    if scope.run_id and but_for_facets == ALL_TARGETS:
        return count_facets(await target_counts.count_facets(conn, scope.run_id), wanted, is_cut=False)
    most = None if scope.run_id else MOST_COUNTED + 1
    rows = await conn.fetch(
        f"""
        SELECT state, review_state, checks_state, has_warnings, count(*) AS n FROM (
            SELECT t.state, t.review_state, t.checks_state, t.warnings <> '[]' AS has_warnings
            FROM targets t JOIN runs r ON r.id = t.run_id WHERE {scope.sql} AND {CONDITIONS} LIMIT $20
        ) counted GROUP BY 1, 2, 3, 4
        """,
        *await values_of(conn, but_for_facets, scope.run_id),
        scope.run_id,
        scope.campaign,
        None if scope.run_id else scope.namespaces,
        most,
    )
    cells: list[Cell] = [tuple(row) for row in rows]  # pyright: ignore[reportAssignmentType] -- as the SELECT has them
    is_cut = most is not None and sum(cell[-1] for cell in cells) >= most
    return count_facets(cells, wanted, is_cut=is_cut)


async def list_groups(conn: Connection, run_id: RunId, *, most: int = 50) -> Sequence[str]:
    """The groups of a run's targets but for the empty one, by name."""
    rows = await conn.fetch(
        """SELECT DISTINCT change_group FROM targets WHERE run_id = $1 AND change_group <> ''
           ORDER BY change_group LIMIT $2""",
        run_id,
        most,
    )
    return [row["change_group"] for row in rows]
