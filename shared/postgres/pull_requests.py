"""The pull requests of targets in Postgres: whose they are, which are due to be asked for, what was last seen."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from ..domain.ids import TargetId
from ..domain.target import FOLLOWED, ChecksState, ReviewState, Target, TargetState
from .pool import Connection
from .targets import TARGET_COLUMNS, target_from_row


async def by_pull_request(conn: Connection, repository_node_id: str, number: int) -> list[Target]:
    """The targets whose pull request that is, but for detached ones: one a run that opened or updated it."""
    rows = await conn.fetch(
        f"SELECT {TARGET_COLUMNS} FROM targets t"  # noqa: S608
        " WHERE t.repository_node_id = $1 AND t.pull_request_number = $2 AND t.detached_at IS NULL ORDER BY t.id",
        repository_node_id,
        number,
    )
    return [target_from_row(row) for row in rows]


async def by_head(conn: Connection, repository_node_id: str, head_oid: str) -> list[Target]:
    """The targets with a pull request whose branch Octobatch put at that commit, but for detached ones."""
    rows = await conn.fetch(
        f"SELECT {TARGET_COLUMNS} FROM targets t WHERE t.repository_node_id = $1 AND t.head_oid = $2"  # noqa: S608
        " AND t.pull_request_number IS NOT NULL AND t.detached_at IS NULL ORDER BY t.id",
        repository_node_id,
        head_oid,
    )
    return [target_from_row(row) for row in rows]


async def due_for_reconcile(
    conn: Connection, *, checked_before: datetime, limit: int, closed_checked_before: datetime, closed_since: datetime
) -> list[Target]:
    """Targets whose pull request may change and was not asked for since `checked_before`: least recently first.

    Those that were never asked for, or that a webhook pointed at, come before all others. A closed one may be opened
    again, and that of a cancelled target be merged: they are asked for less often, and no more once they have not
    changed since `closed_since`.
    """
    rows = await conn.fetch(
        f"""
        SELECT {TARGET_COLUMNS} FROM targets t
        WHERE t.pull_request_node_id IS NOT NULL AND t.state <> 'merged' AND t.detached_at IS NULL
          AND (t.checked_at IS NULL OR t.checked_at < CASE WHEN t.state = ANY($5) THEN $3::timestamptz ELSE $1 END)
          AND (t.state <> ALL($5) OR t.checked_at IS NULL OR t.updated_at > $4)
        ORDER BY t.checked_at NULLS FIRST, t.id LIMIT $2
        """,  # noqa: S608
        checked_before,
        limit,
        closed_checked_before,
        closed_since,
        [TargetState.CLOSED, TargetState.CANCELLED],
    )
    return [target_from_row(row) for row in rows]


async def lock_targets(conn: Connection, target_ids: Sequence[TargetId]) -> list[tuple[Target, datetime | None]]:
    """These targets as they are now, locked, each with GitHub's `updated_at` of what was last taken in."""
    rows = await conn.fetch(
        f"SELECT {TARGET_COLUMNS}, t.pull_request_updated_at FROM targets t"  # noqa: S608
        " WHERE t.id = ANY($1::uuid[]) ORDER BY t.id FOR UPDATE",
        list(target_ids),
    )
    return [(target_from_row(row), row["pull_request_updated_at"]) for row in rows]


async def mark_checked(conn: Connection, target_ids: Sequence[TargetId], *, counts_as: timedelta = timedelta()) -> None:
    """Records that these were asked for just now; it counts as so long ago, for what is to be asked for again soon."""
    await conn.execute(
        "UPDATE targets SET checked_at = now() - $2::interval WHERE id = ANY($1::uuid[])", list(target_ids), counts_as
    )


async def ask_again_on_base(conn: Connection, repository_node_id: str, base_branch: str) -> None:
    """Puts open pull requests to a branch that has moved first among those due: they may conflict with it now."""
    await conn.execute(
        """
        UPDATE targets SET checked_at = NULL
        WHERE repository_node_id = $1 AND base_branch = $2 AND pull_request_node_id IS NOT NULL AND state = ANY($3)
        """,
        repository_node_id,
        base_branch,
        list(FOLLOWED),
    )


async def observe_reviews(
    conn: Connection,
    target_id: TargetId,
    *,
    review_state: ReviewState | None = None,
    checks_state: ChecksState | None = None,
    ask_again: bool = False,
) -> bool:
    """Records the states of reviews and checks; None leaves one as it is. Returns whether either changed.

    `ask_again` puts the target first among those due for reconciliation.
    """
    changed = await conn.fetchval(
        """
        WITH before AS (SELECT id, review_state, checks_state FROM targets WHERE id = $1 FOR UPDATE)
        UPDATE targets t
        SET review_state = coalesce($2, t.review_state), checks_state = coalesce($3, t.checks_state),
            checked_at = CASE WHEN $4 THEN NULL ELSE t.checked_at END, updated_at = now()
        FROM before WHERE t.id = before.id
        RETURNING (before.review_state, before.checks_state) <> (t.review_state, t.checks_state)
        """,
        target_id,
        review_state,
        checks_state,
        ask_again,
    )
    return bool(changed)


async def pull_request_seen_at(conn: Connection, target_id: TargetId) -> datetime | None:
    """GitHub's `updated_at` of the newest state of the pull request that was taken in; locks the target's row."""
    return await conn.fetchval("SELECT pull_request_updated_at FROM targets WHERE id = $1 FOR UPDATE", target_id)
