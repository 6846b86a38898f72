"""What is done by itself about a pull request, each once for a target and a commit at the head of its branch."""

from __future__ import annotations

from ..domain.ids import TargetId
from .pool import Connection


async def insert_firing(conn: Connection, target_id: TargetId, *, hook: str, head_oid: str) -> bool:
    """Records that a hook is begun for a target and a commit; False where it was begun before."""
    inserted = await conn.fetchval(
        """INSERT INTO hook_firings (target_id, hook, head_oid) VALUES ($1, $2, $3)
           ON CONFLICT (target_id, hook, head_oid) DO NOTHING RETURNING true""",
        target_id,
        hook,
        head_oid,
    )
    return bool(inserted)
