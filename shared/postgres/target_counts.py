"""How many targets of a run are alike, without counting them: the sums that each change of targets keeps.

A statement that changes targets changes the sums in its transaction, by triggers of the table `targets`; a transaction
reads what it did itself. What is read here is as much for a million targets as for ten.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from ..domain.ids import InstallationId, RunId
from ..domain.target import TargetState
from .pool import Connection

Counts = dict[TargetState, int]
"""Targets by state; states without targets are left out."""


async def count_by_state(conn: Connection, run_id: RunId) -> Counts:
    """How many targets of a run are in each state."""
    return (await count_by_run(conn, [run_id]))[run_id]


async def count_by_run(conn: Connection, run_ids: Collection[RunId]) -> dict[RunId, Counts]:
    """The targets of each of the runs by state; each of the runs is there."""
    rows = await conn.fetch(
        """SELECT run_id, state, sum(n)::bigint AS n FROM target_counts WHERE run_id = ANY($1)
           GROUP BY run_id, state HAVING sum(n) > 0 ORDER BY state""",
        list(run_ids),
    )
    found: dict[RunId, Counts] = {run_id: {} for run_id in run_ids}
    for row in rows:
        found[RunId(row["run_id"])][TargetState(row["state"])] = row["n"]
    return found


async def unpublished_by_installation(conn: Connection, run_id: RunId) -> dict[InstallationId, int]:
    """How many targets of a run are still to be published, by the installation that does it."""
    return await _count_to_publish(conn, run_id, ("pending", "preparing", "prepared", "publishing"))


async def not_begun_by_installation(conn: Connection, run_id: RunId) -> dict[InstallationId, int]:
    """The same without those that are being published."""
    return await _count_to_publish(conn, run_id, ("pending", "preparing", "prepared"))


async def released_installations(conn: Connection, run_id: RunId) -> list[InstallationId]:
    """The installations with targets that wait for nothing but their turn at GitHub."""
    rows = await conn.fetch(
        """SELECT installation_id FROM target_counts WHERE run_id = $1 AND to_publish
           AND (state = 'publishing' OR state = 'prepared' AND is_released)
           GROUP BY installation_id HAVING sum(n) > 0""",
        run_id,
    )
    return [InstallationId(row["installation_id"]) for row in rows]


async def count_at_work(conn: Connection, run_id: RunId) -> tuple[int, int]:
    """How many targets wait for their release, and how many others have work left."""
    row = await conn.fetchrow(
        """
        SELECT coalesce(sum(n) FILTER (WHERE waits), 0)::bigint AS waiting,
            coalesce(sum(n) FILTER (WHERE has_work AND NOT waits), 0)::bigint AS left
        FROM (
            SELECT n, state = 'prepared' AND to_publish AND NOT is_released AS waits,
                state IN ('pending', 'preparing', 'publishing') OR state = 'prepared' AND to_publish AS has_work
            FROM target_counts WHERE run_id = $1) counted
        """,
        run_id,
    )
    return (row["waiting"], row["left"]) if row else (0, 0)


async def count_progress(conn: Connection, run_id: RunId) -> dict[str, int]:
    """What a rollout is decided by: targets `with_change`, `unknown` ones, and those that have `begun`.

    What is not to be published, is settled without a pull request, or was left to people does not count.
    """
    row = await conn.fetchrow(
        """
        SELECT coalesce(sum(n) FILTER (WHERE state NOT IN ('pending', 'preparing', 'failed', 'blocked')
                                       OR is_on_its_way), 0)::bigint AS with_change,
            coalesce(sum(n) FILTER (WHERE state IN ('pending', 'preparing') AND NOT is_on_its_way), 0)::bigint
                AS unknown,
            coalesce(sum(n) FILTER (WHERE is_on_its_way), 0)::bigint AS begun
        FROM target_counts
        WHERE run_id = $1 AND to_publish AND state NOT IN ('unchanged', 'cancelled') AND NOT is_detached
        """,
        run_id,
    )
    return dict(row or {})


async def count_facets(conn: Connection, run_id: RunId) -> list[tuple[str, str, str, bool, int]]:
    """How many targets are alike: states of target, reviews and checks, whether there are warnings, and how many."""
    rows = await conn.fetch(
        """SELECT state, review_state, checks_state, has_warnings, sum(n)::bigint AS n FROM target_counts
           WHERE run_id = $1 GROUP BY 1, 2, 3, 4 HAVING sum(n) > 0""",
        run_id,
    )
    return [(row["state"], row["review_state"], row["checks_state"], row["has_warnings"], row["n"]) for row in rows]


async def _count_to_publish(conn: Connection, run_id: RunId, states: Sequence[str]) -> dict[InstallationId, int]:
    rows = await conn.fetch(
        """SELECT installation_id, sum(n)::bigint AS n FROM target_counts
           WHERE run_id = $1 AND to_publish AND state = ANY($2) GROUP BY installation_id HAVING sum(n) > 0""",
        run_id,
        list(states),
    )
    return {InstallationId(row["installation_id"]): row["n"] for row in rows}
