"""Whether the index of an installation's repositories may answer for GitHub."""

from __future__ import annotations

from datetime import datetime

from shared.domain.ids import InstallationId
from shared.domain.repository_index import RepositoryIndex, is_usable
from shared.postgres.repositories import fetch_index

from .context import SelectionContext


async def usable_index(
    ctx: SelectionContext, installation_id: InstallationId, *, now: datetime
) -> RepositoryIndex | None:
    """The index, where it is complete and not too old."""
    async with ctx.pool.acquire() as conn:
        index = await fetch_index(conn, installation_id)
    return index if index and is_usable(index, now=now, max_age=ctx.index_max_age) else None
