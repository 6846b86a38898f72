"""Which pull requests are still to be decorated: given labels, assignees and reviewers."""

from __future__ import annotations

from collections.abc import Sequence

from ..domain.ids import TargetId
from ..domain.target import Target, TargetState
from .pool import Connection
from .targets import TARGET_COLUMNS, target_from_row

_DECORATED_IN = (TargetState.DRAFT, TargetState.OPEN, TargetState.CONFLICTED)


async def due_for_decoration(conn: Connection, *, limit: int) -> list[Target]:
    """Targets with a pull request that was not decorated yet, those of a batch together."""
    rows = await conn.fetch(
        f"""
        SELECT {TARGET_COLUMNS} FROM targets t
        WHERE t.pull_request_node_id IS NOT NULL AND t.decorated_at IS NULL AND t.state = ANY($1)
            AND NOT t.is_imported AND t.detached_at IS NULL
        ORDER BY t.run_id, t.installation_id, t.batch, t.id LIMIT $2
        """,  # noqa: S608
        list(_DECORATED_IN),
        limit,
    )
    return [target_from_row(row) for row in rows]


async def mark_decorated(conn: Connection, target_ids: Sequence[TargetId]) -> None:
    """Nothing more is to be put on the pull requests of these targets."""
    await conn.execute("UPDATE targets SET decorated_at = now() WHERE id = ANY($1::uuid[])", list(target_ids))
