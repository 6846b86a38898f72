"""When a run is done: none of its targets has work left. One statement decides and completes."""

from __future__ import annotations

from ..domain.ids import RunId
from .pool import Connection

_UNSETTLED = """
    EXISTS (SELECT FROM targets t WHERE t.run_id = r.id
            AND (t.state IN ('pending', 'preparing', 'publishing', 'paused')
                 OR (t.state = 'prepared' AND t.publish_as <> 'none')))
"""
"""A prepared target is settled where it is not to be published: in a dry run, or with `published: false`."""


_FAILED = "(SELECT count(*) FROM targets t WHERE t.run_id = r.id AND t.state = 'failed')"
_TOO_MANY = f"r.state = 'running' AND r.most_failures IS NOT NULL AND {_FAILED} > r.most_failures"


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


async def fail_if_too_many(conn: Connection, run_id: RunId) -> str | None:
    """Fails a running run more of whose targets have failed than its `onError` allows; the error, where it did."""
    return await conn.fetchval(
        f"""
        UPDATE runs r SET state = 'failed', finished_at = now(),
            error = format('%s of %s targets failed, more than onError allows (%s)', {_FAILED},
                           (SELECT count(*) FROM targets t WHERE t.run_id = r.id), r.most_failures)
        WHERE r.id = $1 AND {_TOO_MANY} RETURNING r.error
        """,  # noqa: S608
        run_id,
    )


async def runs_with_too_many(conn: Connection) -> list[RunId]:
    """Running runs more of whose targets have failed than their `onError` allows."""
    return [RunId(row["id"]) for row in await conn.fetch(f"SELECT r.id FROM runs r WHERE {_TOO_MANY}")]  # noqa: S608


async def settled_runs(conn: Connection) -> list[RunId]:
    """Running runs all of whose targets are settled."""
    rows = await conn.fetch(f"SELECT r.id FROM runs r WHERE r.state = 'running' AND NOT {_UNSETTLED} ORDER BY r.id")  # noqa: S608
    return [RunId(row["id"]) for row in rows]
