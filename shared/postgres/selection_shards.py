"""The working memory of a selection that is being made: its shards, and the candidates that they found.

What a shard found is stored together with how far it is, so that whoever goes on after a crash asks for no page that
was stored, and misses none.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import asyncpg

from ..domain.ids import InstallationId, SelectionId
from ..domain.selection import SelectedRepository
from ..domain.shards import NewShard, Shard
from .pool import Connection
from .selections import REPOSITORY_COLUMNS, to_record

_SHARD = "path, entry, request, expected, cursor, asked, given, stored, restarts"
_ONLY_SELECTED = ("entries", "condition")
CANDIDATE_COLUMNS = tuple(column for column in REPOSITORY_COLUMNS if column not in _ONLY_SELECTED)
_JUDGED = ("branch", "included", "reason", "entry")
_KEPT = [index for index, column in enumerate(REPOSITORY_COLUMNS) if column not in _ONLY_SELECTED]


async def insert_shards(conn: Connection, selection_id: SelectionId, shards: Iterable[NewShard]) -> None:
    """New shards; those that are there already stay as they are."""
    given = list(shards)
    await conn.execute(
        "INSERT INTO selection_shards (selection_id, path, entry, request, expected)"
        " SELECT $1, * FROM unnest($2::text[], $3::integer[], $4::jsonb[], $5::integer[])"
        " ON CONFLICT (selection_id, path) DO NOTHING",
        selection_id,
        [each.path for each in given],
        [each.entry for each in given],
        [dict(each.request) for each in given],
        [each.expected for each in given],
    )


async def fetch_waiting_shard(conn: Connection, selection_id: SelectionId) -> Shard | None:
    """The first shard that is not done."""
    row = await conn.fetchrow(
        f"SELECT {_SHARD} FROM selection_shards WHERE selection_id = $1 AND state = 'waiting' ORDER BY path LIMIT 1",  # noqa: S608
        selection_id,
    )
    return _from_row(row) if row else None


async def count_shards(conn: Connection, selection_id: SelectionId) -> int:
    """How many shards the selection has, 0 where it was not begun."""
    return await conn.fetchval("SELECT count(*) FROM selection_shards WHERE selection_id = $1", selection_id)


async def need_not_wait(conn: Connection) -> None:
    """Has the transaction not wait for the disk: pages that a crash of the server takes away are asked for again."""
    await conn.execute("SET LOCAL synchronous_commit = off")


async def advance_shard(
    conn: Connection,
    selection_id: SelectionId,
    shard: Shard,
    *,
    cursor: str | None,
    given: int,
    expected: int | None,
    found: Sequence[SelectedRepository],
) -> bool:
    """Stores the page after `shard.cursor`: what it found, of `given` things, and where the next one begins.

    None as `cursor` says that it was the last. False where another process stored that page.
    """
    is_ours = await _update(
        conn,
        selection_id,
        shard,
        "cursor = $5, asked = asked + 1, given = given + $6, stored = stored + $7, expected = coalesce($8, expected),"
        " state = CASE WHEN $5::text IS NULL THEN 'done' ELSE 'waiting' END",
        cursor,
        given,
        len(found),
        expected,
    )
    if is_ours:
        await insert_candidates(conn, selection_id, shard, found, start=shard.stored)
    return is_ours


async def insert_candidates(
    conn: Connection, selection_id: SelectionId, shard: NewShard, found: Sequence[SelectedRepository], *, start: int
) -> None:
    """What a shard found, numbered from `start` on."""
    records = (
        (selection_id, shard.path, number, *(values[index] for index in _KEPT))
        for number, values in enumerate(map(to_record, found), start)
    )
    await conn.copy_records_to_table(
        "selection_candidates", columns=("selection_id", "path", "number", *CANDIDATE_COLUMNS), records=records
    )


async def finish_shard(conn: Connection, selection_id: SelectionId, shard: Shard, *, stored: int) -> bool:
    """Says that a shard is done whose candidates were all stored; False where another process did."""
    changes = "state = 'done', given = $5, stored = $5, expected = $5, asked = asked + 1"
    return await _update(conn, selection_id, shard, changes, stored)


async def insert_indexed(
    conn: Connection,
    selection_id: SelectionId,
    shard: Shard,
    installation_id: InstallationId,
    *,
    reason: str,
    out: Mapping[str, str],
    is_alone: bool,
) -> int:
    """Takes over all of an installation's repositories from the index, those in `out` (by node id) out; says how many.

    They become candidates; those of a shard that `is_alone` are the selection's repositories at once.
    """
    await _join_by_hash(conn)
    same = ", ".join(column for column in CANDIDATE_COLUMNS if column not in _JUDGED)
    into = ("selection_repositories", "position, entries") if is_alone else ("selection_candidates", "number, path")
    status = await conn.execute(
        f"""
        INSERT INTO {into[0]} (selection_id, {into[1]}, entry, branch, included, reason, {same})
        SELECT $1, row_number() OVER (ORDER BY created_at, database_id) - 1,
            {"ARRAY[$2::integer]" if is_alone else f"'{shard.path}'"}, $2, coalesce(default_branch, ''),
            o.reason IS NULL, coalesce(o.reason, $4), {same}
        FROM repositories LEFT JOIN unnest($5::text[], $6::text[]) AS o (node_id, reason) USING (node_id)
        WHERE installation_id = $3
        """,  # noqa: S608
        selection_id,
        shard.entry,
        installation_id,
        reason,
        list(out),
        list(out.values()),
    )
    return int(status.rpartition(" ")[2])


async def restart_shard(conn: Connection, selection_id: SelectionId, shard: Shard) -> bool:
    """Has the shard asked from its first page again; what it found stays, and is counted once."""
    changes = "cursor = NULL, asked = 0, given = 0, restarts = restarts + 1, expected = NULL"
    return await _update(conn, selection_id, shard, changes)


async def divide_shard(conn: Connection, selection_id: SelectionId, shard: Shard, parts: Sequence[NewShard]) -> bool:
    """Puts parts in a shard's place; False where another process did."""
    is_ours = await _update(conn, selection_id, shard, "state = 'divided'")
    if is_ours:
        await insert_shards(conn, selection_id, parts)
    return is_ours


async def count_distinct(conn: Connection, selection_id: SelectionId, path: str, *, besides: Iterable[str]) -> int:
    """How many repositories a shard found, with those of the node ids in `besides`."""
    return await conn.fetchval(
        "SELECT count(*) FROM (SELECT node_id FROM selection_candidates WHERE selection_id = $1 AND path = $2"
        " UNION SELECT unnest($3::text[])) AS found",
        selection_id,
        path,
        list(besides),
    )


async def record_progress(conn: Connection, selection_id: SelectionId, *, requests: int, points: int) -> bool:
    """Counts what was found and what it cost since it was last recorded; False where the selection is over."""
    changed = await conn.fetchval(
        """
        UPDATE selections SET requests = requests + $2, points = points + $3, found = s.found, expected = s.expected
        FROM (
            SELECT coalesce(sum(stored), 0) AS found,
                CASE WHEN bool_and(expected IS NOT NULL) THEN sum(expected) END AS expected
            FROM selection_shards WHERE selection_id = $1 AND state <> 'divided'
        ) s
        WHERE id = $1 AND state = 'selecting' RETURNING id
        """,
        selection_id,
        requests,
        points,
    )
    return changed is not None


async def combine_candidates(
    conn: Connection, selection_id: SelectionId, *, excluding: Sequence[int], reasons: Sequence[str]
) -> None:
    """Makes the selection's repositories of its candidates: each repository and branch once.

    The first that is in decides; what an entry of `excluding` found is out, with that entry's reason.
    """
    kept = ", ".join(column for column in CANDIDATE_COLUMNS if column not in {"included", "reason", "entry"})
    await conn.execute("SET LOCAL work_mem = '64MB'")
    await _join_by_hash(conn)
    await conn.execute(
        f"""
        WITH excluded AS (
            SELECT DISTINCT ON (node_id) node_id, entry, r.reason
            FROM selection_candidates JOIN unnest($2::integer[], $3::text[]) AS r (entry, reason) USING (entry)
            WHERE selection_id = $1 AND included
            ORDER BY node_id, entry
        ), winners AS (
            SELECT DISTINCT ON (node_id, branch) path, number,
                array_agg(entry) OVER (PARTITION BY node_id, branch) AS entries
            FROM selection_candidates WHERE selection_id = $1 AND NOT entry = ANY($2)
            ORDER BY node_id, branch, included DESC, entry, path, number
        )
        INSERT INTO selection_repositories (selection_id, position, entries, included, reason, entry, {kept})
        SELECT $1, row_number() OVER (ORDER BY c.entry, path, number) - 1,
            (SELECT array_agg(DISTINCT e ORDER BY e) FROM unnest(w.entries) e),
            c.included AND x.node_id IS NULL,
            CASE WHEN c.included AND x.node_id IS NOT NULL THEN x.reason ELSE c.reason END,
            CASE WHEN c.included AND x.node_id IS NOT NULL THEN x.entry ELSE c.entry END, {kept}
        FROM winners w
        JOIN selection_candidates c USING (path, number)
        LEFT JOIN excluded x USING (node_id)
        WHERE c.selection_id = $1
        """,  # noqa: S608
        selection_id,
        excluding,
        reasons,
    )


async def forget_working_memory(conn: Connection, selection_id: SelectionId) -> None:
    """Removes shards and candidates, which nobody needs once the selection is over."""
    await conn.execute("DELETE FROM selection_candidates WHERE selection_id = $1", selection_id)
    await conn.execute("DELETE FROM selection_shards WHERE selection_id = $1", selection_id)


async def forget_unfinished(conn: Connection, selection_id: SelectionId) -> None:
    """Removes all that a selection found which was cancelled or failed; a complete one keeps its repositories."""
    await forget_working_memory(conn, selection_id)
    await conn.execute(
        "DELETE FROM selection_repositories r USING selections s WHERE r.selection_id = $1 AND s.id = r.selection_id"
        " AND s.state IN ('cancelled', 'failed')",
        selection_id,
    )


async def _join_by_hash(conn: Connection) -> None:
    """What was just written is in no statistics, and PostgreSQL would take it for little: minutes, for many rows."""
    await conn.execute("SET LOCAL enable_nestloop = off")


async def _update(conn: Connection, selection_id: SelectionId, shard: Shard, assignments: str, *values: object) -> bool:
    """Changes a shard that is as far as we know; False where another process was faster."""
    changed = await conn.fetchval(
        f"UPDATE selection_shards SET {assignments} WHERE selection_id = $1 AND path = $2 AND state = 'waiting'"  # noqa: S608
        " AND asked = $3 AND restarts = $4 RETURNING path",
        selection_id,
        shard.path,
        shard.asked,
        shard.restarts,
        *values,
    )
    return changed is not None


def _from_row(row: asyncpg.Record) -> Shard:
    return Shard(**row)
