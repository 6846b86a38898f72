"""The repositories of complete selections, to look into: filtered pages, counts by facet, and one of them.

A complete selection never changes, so that pages read at different times fit together.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..domain.ids import SelectionId
from ..domain.repository import Visibility
from ..domain.selection import SelectedRepository
from ..domain.selection_views import Facet
from .pool import Connection
from .selections import REPOSITORY_COLUMNS, selected_from_row

_COLUMNS = ", ".join(REPOSITORY_COLUMNS)

_CHOSEN = """
    selection_id = $1
    AND ($2::boolean IS NULL OR included = $2)
    AND ($3::integer IS NULL OR $3 = ANY(entries))
    AND ($4::integer IS NULL OR condition = $4)
    AND ($5::text IS NULL OR strpos(lower(name_with_owner), lower($5)) > 0)
    AND ($6::text IS NULL OR lower(split_part(name_with_owner, '/', 1)) = lower($6))
    AND ($7::text IS NULL OR lower(coalesce(language, '')) = lower($7))
    AND ($8::text IS NULL OR lower($8) = ANY(topics))
    AND ($9::text IS NULL OR visibility = $9)
    AND ($10::boolean IS NULL OR is_archived = $10)
    AND ($11::boolean IS NULL OR is_fork = $11)
    AND ($12::boolean IS NULL OR is_template = $12)
    AND ($13::text IS NULL OR reason = $13)
    AND ($14::text IS NULL OR CASE WHEN $15::text IS NULL THEN properties ? $14 ELSE properties -> $14 ? $15 END)
"""


@dataclass(frozen=True, kw_only=True)
class RepositoryFilter:
    """Which repositories of a selection; what is None lets all pass.

    `entry` is any entry that found it, `condition` the one that left it out. `q` is a part of owner/name. An empty
    `language` means those that have none. `property_value` None asks only that the property is set.
    """

    included: bool | None = None
    entry: int | None = None
    condition: int | None = None
    q: str | None = None
    owner: str | None = None
    language: str | None = None
    topic: str | None = None
    visibility: Visibility | None = None
    archived: bool | None = None
    fork: bool | None = None
    template: bool | None = None
    reason: str | None = None
    property_name: str | None = None
    property_value: str | None = None

    @property
    def values(self) -> tuple[object, ...]:
        """The parameters from `$2` on."""
        return (
            self.included, self.entry, self.condition, self.q, self.owner, self.language, self.topic, self.visibility,
            self.archived, self.fork, self.template, self.reason, self.property_name, self.property_value,
        )  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class FacetCount:
    """How many repositories have this value of a facet; `value` is empty where they have none."""

    facet: Facet
    value: str
    count: int


async def page_repositories(
    conn: Connection, selection_id: SelectionId, wanted: RepositoryFilter, *, after: int = -1, limit: int = 100
) -> list[tuple[int, SelectedRepository]]:
    """Repositories with their positions, in the selection's order, from the position after `after` on."""
    rows = await conn.fetch(
        f"""
        SELECT position, {_COLUMNS} FROM selection_repositories
        WHERE {_CHOSEN} AND position > $16 ORDER BY position LIMIT $17
        """,  # noqa: S608
        selection_id,
        *wanted.values,
        after,
        limit,
    )
    return [(row["position"], selected_from_row(row)) for row in rows]


async def count_facets(
    conn: Connection, selection_id: SelectionId, wanted: RepositoryFilter, *, most: int = 100
) -> tuple[int, list[FacetCount]]:
    """How many repositories there are, and the `most` commonest values of each facet, the commonest first.

    One with several entries or topics counts for each of them.
    """
    rows = await conn.fetch(
        f"""
        WITH chosen AS MATERIALIZED (
            SELECT included, entries, condition, lower(split_part(name_with_owner, '/', 1)) AS owner, language, topics,
                visibility, is_archived, is_fork, is_template, reason
            FROM selection_repositories WHERE {_CHOSEN}
        ), counted (facet, value, count) AS (
            SELECT 'included', included::text, count(*) FROM chosen GROUP BY 2
            UNION ALL SELECT 'entry', entry::text, count(*) FROM chosen, unnest(entries) AS entry GROUP BY 2
            UNION ALL SELECT 'condition', condition::text, count(*) FROM chosen WHERE condition IS NOT NULL GROUP BY 2
            UNION ALL SELECT 'owner', owner, count(*) FROM chosen GROUP BY 2
            UNION ALL SELECT 'language', coalesce(language, ''), count(*) FROM chosen GROUP BY 2
            UNION ALL SELECT 'topic', topic, count(*) FROM chosen, unnest(topics) AS topic GROUP BY 2
            UNION ALL SELECT 'visibility', visibility, count(*) FROM chosen GROUP BY 2
            UNION ALL SELECT 'archived', is_archived::text, count(*) FROM chosen GROUP BY 2
            UNION ALL SELECT 'fork', is_fork::text, count(*) FROM chosen GROUP BY 2
            UNION ALL SELECT 'template', is_template::text, count(*) FROM chosen GROUP BY 2
            UNION ALL SELECT 'reason', reason, count(*) FROM chosen GROUP BY 2
            UNION ALL SELECT '', '', count(*) FROM chosen
        ), ranked AS (
            SELECT *, row_number() OVER (PARTITION BY facet ORDER BY count DESC, value) AS rank FROM counted
        )
        SELECT facet, value, count FROM ranked WHERE rank <= $16 ORDER BY facet, rank
        """,  # noqa: S608
        selection_id,
        *wanted.values,
        most,
    )
    total, *counts = rows  # the empty facet, which counts all, comes first
    return total["count"], [
        FacetCount(facet=Facet(row["facet"]), value=row["value"], count=row["count"]) for row in counts
    ]


async def find_in_selection(
    conn: Connection, selection_id: SelectionId, *, name: str | None = None, node_id: str | None = None
) -> list[SelectedRepository]:
    """The branches of one repository, in order: by owner/name as it was then, whatever its case, or by node id."""
    rows = await conn.fetch(
        f"""
        SELECT {_COLUMNS} FROM selection_repositories
        WHERE selection_id = $1 AND (lower(name_with_owner) = lower($2) OR node_id = $3) ORDER BY position
        """,  # noqa: S608
        selection_id,
        name,
        node_id,
    )
    return [selected_from_row(row) for row in rows]
