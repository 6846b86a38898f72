"""Whether the index of an installation's repositories may answer for GitHub."""

from __future__ import annotations

from shared.clock import utcnow
from shared.domain.repository_index import RepositoryIndex, is_current
from shared.postgres.repositories import fetch_index

from .access import Access, Account
from .context import SelectionContext
from .indexing import take_changes


async def usable_index(ctx: SelectionContext, access: Access, account: Account, owner: str) -> RepositoryIndex | None:
    """The index of what `owner` has; None where it is not complete, and a listing must answer.

    One that is older than it may be is asked to take in first what changed, which costs a request or two.
    """
    async with ctx.pool.acquire() as conn:
        index = await fetch_index(conn, account.installation_id)
    if index is None or index.completed_at is None or index.account.lower() != owner.lower():
        return None
    if is_current(index, now=utcnow(), max_age=ctx.index_max_age):
        return index
    return await take_changes(ctx, index, access, account)
