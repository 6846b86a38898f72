"""Pausing and resuming the targets of a run. The caller holds the run's row and emits each move as an event."""

from __future__ import annotations

from ..domain.ids import RunId
from ..domain.run import RunState, is_finished
from ..domain.target import TargetState
from .pool import Connection
from .targets import TARGET_COLUMNS, Move, target_from_row

_UNFINISHED = [state for state in RunState if not is_finished(state)]
_HAS_WORK = """(state IN ('pending', 'preparing', 'publishing') OR state = 'prepared' AND publish_as <> 'none')"""


async def pause_run(conn: Connection, run_id: RunId, *, paused_by: str) -> bool:
    """Marks an unfinished run as paused and locks its row; whether it was neither finished nor paused."""
    paused = await conn.fetchval(
        "UPDATE runs SET paused_at = now(), paused_by = $2, release_at = NULL"
        " WHERE id = $1 AND state = ANY($3) AND paused_at IS NULL RETURNING id",
        run_id,
        paused_by,
        _UNFINISHED,
    )
    return paused is not None


async def resume_run(conn: Connection, run_id: RunId) -> bool:
    """Takes the mark away and locks the run's row; whether it was paused and not finished."""
    resumed = await conn.fetchval(
        "UPDATE runs SET paused_at = NULL, paused_by = NULL, release_at = NULL"
        " WHERE id = $1 AND state = ANY($2) AND paused_at IS NOT NULL RETURNING id",
        run_id,
        _UNFINISHED,
    )
    return resumed is not None


async def is_paused(conn: Connection, run_id: RunId) -> bool:
    """Whether the run is paused; until the transaction ends it is neither paused nor resumed."""
    return await conn.fetchval("SELECT paused_at IS NOT NULL FROM runs WHERE id = $1 FOR SHARE", run_id)


async def pause_targets(conn: Connection, run_id: RunId) -> list[Move]:
    """Pauses the targets of a run that have work left; a later resume knows where they were.

    What waited for its turn at GitHub goes back to the rollout: it is not released any more.
    """
    rows = await conn.fetch(
        f"""
        WITH before AS (SELECT id, state FROM targets WHERE run_id = $1 AND {_HAS_WORK} ORDER BY id FOR UPDATE)
        UPDATE targets t SET state = 'paused', paused_from = before.state, released_at = NULL, updated_at = now()
        FROM before WHERE t.id = before.id
        RETURNING before.state AS state_before, {TARGET_COLUMNS}
        """,  # noqa: S608
        run_id,
    )
    return [Move(before=TargetState(row["state_before"]), target=target_from_row(row)) for row in rows]


async def resume_targets(conn: Connection, run_id: RunId) -> list[Move]:
    """Puts the paused targets of a run back: those with a change to `prepared`, the others to `pending`.

    One that has a pull request already waits for no rollout: it is released.
    """
    rows = await conn.fetch(
        f"""
        WITH before AS (SELECT id, paused_from IN ('prepared', 'publishing') AS has_change FROM targets
                        WHERE run_id = $1 AND state = 'paused' ORDER BY id FOR UPDATE)
        UPDATE targets t SET paused_from = NULL, updated_at = now(),
            state = CASE WHEN before.has_change THEN 'prepared' ELSE 'pending' END,
            released_at = CASE WHEN before.has_change AND t.pull_request_number IS NOT NULL THEN now() END
        FROM before WHERE t.id = before.id
        RETURNING {TARGET_COLUMNS}
        """,  # noqa: S608
        run_id,
    )
    return [Move(before=TargetState.PAUSED, target=target_from_row(row)) for row in rows]
