"""Warnings of a target: what went otherwise than the spec says, and is no failure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..domain.ids import RunId, TargetId
from .pool import Connection


async def add_warning(conn: Connection, target_id: TargetId, warning: str) -> None:
    """Adds a warning that the target does not have yet."""
    await conn.execute(
        """UPDATE targets SET warnings = warnings || to_jsonb($2::text), updated_at = now()
           WHERE id = $1 AND NOT warnings @> to_jsonb($2::text)""",
        target_id,
        warning,
    )


async def replace_warnings(conn: Connection, found: Mapping[TargetId, Sequence[str]]) -> None:
    """Gives targets these warnings, and no others."""
    if found:
        await conn.execute(
            """UPDATE targets t SET warnings = f.warnings FROM jsonb_each($1) AS f (id, warnings)
               WHERE t.id = f.id::uuid AND t.warnings <> f.warnings""",
            {str(target_id): list(dict.fromkeys(warnings)) for target_id, warnings in found.items()},
        )


@dataclass(frozen=True, kw_only=True)
class WarningCount:
    """How many targets of a run have a warning of a kind, and the first of them by name."""

    kind: str
    count: int
    message: str  # of the first of them
    repositories: tuple[str, ...]


async def count_warnings(conn: Connection, run_id: RunId, *, names: int = 3) -> list[WarningCount]:
    """The warnings of a run by their kind, which is what stands before the colon; those of most targets first."""
    rows = await conn.fetch(
        """
        SELECT split_part(warning, ':', 1) AS kind, count(DISTINCT t.id) AS count,
            (array_agg(warning ORDER BY t.repository))[1] AS message,
            (array_agg(DISTINCT t.repository ORDER BY t.repository))[1:$2] AS repositories
        FROM targets t CROSS JOIN jsonb_array_elements_text(t.warnings) AS warning
        WHERE t.run_id = $1 AND t.warnings <> '[]' GROUP BY 1 ORDER BY 2 DESC, 1
        """,
        run_id,
        names,
    )
    return [
        WarningCount(
            kind=row["kind"], count=row["count"], message=row["message"], repositories=tuple(row["repositories"])
        )
        for row in rows
    ]
