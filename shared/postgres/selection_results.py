"""What becomes of a selection's repositories once all are found: files decide, then the limit, and then it is over."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from ..domain.ids import SelectionId
from ..domain.selection import SelectedRepository
from .pool import Connection


async def begin_examining(conn: Connection, selection_id: SelectionId) -> bool:
    """From finding to examining; False where the selection is over, or another process did."""
    changed = await conn.fetchval(
        "UPDATE selections SET phase = 'examining'"
        " WHERE id = $1 AND state = 'selecting' AND phase = 'finding' RETURNING id",
        selection_id,
    )
    return changed is not None


async def count_to_examine(conn: Connection, selection_id: SelectionId) -> None:
    """Records how many repositories and branches files are to decide about: those that are in."""
    await conn.execute(
        "UPDATE selections SET to_examine = (SELECT count(*) FROM selection_repositories"
        " WHERE selection_id = $1 AND included) WHERE id = $1",
        selection_id,
    )


async def fetch_examined_to(conn: Connection, selection_id: SelectionId) -> int:
    """The last position that was examined, -1 for none."""
    return await conn.fetchval("SELECT examined_to FROM selections WHERE id = $1", selection_id)


async def record_verdicts(
    conn: Connection,
    selection_id: SelectionId,
    verdicts: Sequence[tuple[int, SelectedRepository]],
    *,
    after: int,
    requests: int,
    points: int,
) -> bool:
    """Stores what files decided of the repositories at these positions, the next ones after `after`.

    False where the selection is over, or another process stored that.
    """
    changed = await conn.fetchval(
        "UPDATE selections SET examined = examined + $3, examined_to = $4, requests = requests + $5,"
        " points = points + $6 WHERE id = $1 AND examined_to = $2 AND state = 'selecting' RETURNING id",
        selection_id,
        after,
        len(verdicts),
        verdicts[-1][0],
        requests,
        points,
    )
    if changed is None:
        return False
    out = [(position, each) for position, each in verdicts if not each.included]
    await conn.execute(
        "UPDATE selection_repositories SET included = false, reason = v.reason, condition = v.condition"
        " FROM unnest($2::integer[], $3::text[], $4::integer[]) AS v (position, reason, condition)"
        " WHERE selection_id = $1 AND selection_repositories.position = v.position",
        selection_id,
        [position for position, _ in out],
        [each.reason for _, each in out],
        [each.condition for _, each in out],
    )
    return True


async def count_included(conn: Connection, selection_id: SelectionId, *, up_to: int) -> int:
    """How many repositories are in, up to that position, each with all its branches counted once."""
    return await conn.fetchval(
        "SELECT count(DISTINCT node_id) FROM selection_repositories"
        " WHERE selection_id = $1 AND included AND position <= $2",
        selection_id,
        up_to,
    )


async def apply_limit(conn: Connection, selection_id: SelectionId, limit: int) -> None:
    """Leaves in only the first `limit` repositories, each with all its branches."""
    await conn.execute(
        """
        UPDATE selection_repositories SET included = false, reason = 'it is beyond the limit of ' || $2
        WHERE selection_id = $1 AND included AND NOT node_id = ANY (ARRAY(
            SELECT node_id FROM selection_repositories WHERE selection_id = $1 AND included
            GROUP BY node_id ORDER BY min(position) LIMIT $2
        ))
        """,
        selection_id,
        limit,
    )


async def finish_selection(conn: Connection, selection_id: SelectionId, *, requests: int, points: int) -> bool:
    """Finishes a selection whose repositories are all stored; False where it is over already."""
    changed = await conn.fetchval(
        """
        UPDATE selections SET state = 'complete', finished_at = now(), requests = requests + $2, points = points + $3,
            included = c.included, excluded = c.excluded
        FROM (
            SELECT count(*) FILTER (WHERE included) AS included, count(*) FILTER (WHERE NOT included) AS excluded
            FROM selection_repositories WHERE selection_id = $1
        ) c
        WHERE id = $1 AND state = 'selecting' RETURNING id
        """,
        selection_id,
        requests,
        points,
    )
    return changed is not None


async def state_age(conn: Connection, selection_id: SelectionId, *, index_as_of: datetime) -> None:
    """Records the age of the oldest index that answers a part of the selection."""
    await conn.execute(
        "UPDATE selections SET index_as_of = least(index_as_of, $2) WHERE id = $1", selection_id, index_as_of
    )
