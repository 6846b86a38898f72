"""What a run takes over from the preview that it publishes: targets, and what was stored of them."""

from __future__ import annotations

from collections.abc import Sequence

from ..domain.ids import RunId, TargetId
from ..domain.target import NewTarget, Target
from .pool import Connection
from .targets import TARGET_COLUMNS, insert_targets, target_from_row


async def list_prepared(conn: Connection, preview_run_id: RunId) -> list[Target]:
    """The targets of a preview that have a change, in order."""
    rows = await conn.fetch(
        f"SELECT {TARGET_COLUMNS} FROM targets t WHERE t.run_id = $1 AND t.state = 'prepared' ORDER BY t.id",  # noqa: S608
        preview_run_id,
    )
    return [target_from_row(row) for row in rows]


async def lacks_changes(conn: Connection, preview_run_id: RunId) -> bool:
    """Whether a prepared target of a preview has no stored change (any more)."""
    return await conn.fetchval(
        """SELECT EXISTS (SELECT FROM targets t WHERE t.run_id = $1 AND t.state = 'prepared'
               AND NOT EXISTS (SELECT FROM artifacts a WHERE a.target_id = t.id AND a.kind = 'change'))""",
        preview_run_id,
    )


async def insert_from_preview(conn: Connection, run_id: RunId, taken: Sequence[tuple[TargetId, NewTarget]]) -> None:
    """Inserts targets of a run, each with the target of the preview that it takes its change and its artifacts from.

    Nothing is copied in the blob store: both targets speak of the same bytes.
    """
    await insert_targets(conn, [target for _, target in taken])
    await conn.execute(
        """
        UPDATE targets t SET preview_target_id = p.id, files_changed = p.files_changed, additions = p.additions,
            deletions = p.deletions, warnings = p.warnings
        FROM unnest($2::uuid[], $3::uuid[]) AS taken (target_id, preview_target_id)
        JOIN targets p ON p.id = taken.preview_target_id
        WHERE t.run_id = $1 AND t.id = taken.target_id
        """,
        run_id,
        [target.id for _, target in taken],
        [preview_target_id for preview_target_id, _ in taken],
    )
    await conn.execute(
        """
        INSERT INTO artifacts (id, run_id, target_id, kind, key, size_bytes, sha256)
        SELECT gen_random_uuid(), t.run_id, t.id, a.kind, a.key, a.size_bytes, a.sha256
        FROM targets t JOIN artifacts a ON a.target_id = t.preview_target_id WHERE t.run_id = $1
        ON CONFLICT (target_id, kind) DO NOTHING
        """,
        run_id,
    )
