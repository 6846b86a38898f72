"""When a run is done: none of its targets has work left. One statement decides and completes."""

from __future__ import annotations

from ..domain.ids import RunId
from .pool import Connection

_UNSETTLED = """
    EXISTS (SELECT FROM targets t WHERE t.run_id = r.id
            AND (t.state IN ('pending', 'preparing', 'publishing')
                 OR (t.state = 'prepared' AND t.publish_as <> 'none')))
"""
"""A prepared target is settled where it is not to be published: in a dry run, or with `published: false`."""


async def complete_if_settled(conn: Connection, run_id: RunId) -> bool:
    """Completes a running run all of whose targets are settled; whether it did."""
    completed = await conn.fetchval(
        f"""
        UPDATE runs r SET state = 'completed', finished_at = now()
        WHERE r.id = $1 AND r.state = 'running' AND NOT {_UNSETTLED} RETURNING r.id
        """,  # noqa: S608
        run_id,
    )
    return completed is not None


async def settled_runs(conn: Connection) -> list[RunId]:
    """Running runs all of whose targets are settled."""
    rows = await conn.fetch(f"SELECT r.id FROM runs r WHERE r.state = 'running' AND NOT {_UNSETTLED} ORDER BY r.id")  # noqa: S608
    return [RunId(row["id"]) for row in rows]
