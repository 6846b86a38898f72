"""Results of steps that are kept in the blob store: how large each is, and when it was used last."""

from __future__ import annotations

from collections.abc import Sequence

from .pool import Connection


async def use_step_result(conn: Connection, key: str) -> bool:
    """Whether there is a result of that key; it counts as used now."""
    return await conn.fetchval("UPDATE step_results SET used_at = now() WHERE key = $1 RETURNING true", key) or False


async def upsert_step_result(conn: Connection, key: str, *, size_bytes: int) -> None:
    """Records a result that is in the blob store."""
    await conn.execute(
        """
        INSERT INTO step_results (key, size_bytes) VALUES ($1, $2)
        ON CONFLICT (key) DO UPDATE SET size_bytes = excluded.size_bytes, used_at = now()
        """,
        key,
        size_bytes,
    )


async def least_used_step_results(
    conn: Connection, *, most_bytes: int, unused_days: float, limit: int = 1000
) -> list[str]:
    """Keys of results that nobody used for so many days, or that are too much: what was used last stays."""
    rows = await conn.fetch(
        """
        SELECT key FROM (
            SELECT key, used_at, sum(size_bytes) OVER (ORDER BY used_at DESC, key) AS bytes FROM step_results
        ) AS results
        WHERE bytes > $1 OR used_at < now() - $2 * interval '1 day'
        ORDER BY used_at LIMIT $3
        """,
        most_bytes,
        unused_days,
        limit,
    )
    return [row["key"] for row in rows]


async def delete_step_results(conn: Connection, keys: Sequence[str]) -> None:
    """Forgets results."""
    await conn.execute("DELETE FROM step_results WHERE key = ANY($1)", keys)
