"""Installations of the App: the table follows what GitHub says, by webhooks and by a sweep for what they missed."""

from __future__ import annotations

import structlog

from shared.domain.ids import InstallationId
from shared.domain.installation import Installation
from shared.errors import InstallationNotFound
from shared.postgres import installations
from shared.postgres.pool import Connection

from .context import TokensContext

SYNC_SECONDS = 300.0
"""How often the table is compared with GitHub."""

_log = structlog.get_logger(__name__)


async def sync_installations(ctx: TokensContext) -> None:
    """Asks GitHub for all installations and makes the table say the same."""
    found = await ctx.app.list_installations()
    async with ctx.pool.acquire() as conn, conn.transaction():
        await installations.upsert_installations(conn, found)
        gone = await installations.mark_all_deleted_but(conn, [each.id for each in found])
    _log.info("installations_synced", installations=len(found), gone=gone)


async def installation_of(ctx: TokensContext, account: str) -> Installation:
    """The installation on an account, from the table or from GitHub; raises `InstallationNotFound`."""
    async with ctx.pool.acquire() as conn:
        known = await installations.fetch_installation_of(conn, account)
    if known:
        return known
    found = await ctx.app.installation_of(account)
    async with ctx.pool.acquire() as conn:
        await installations.upsert_installations(conn, [found])
    return found


async def fetch_from_github(ctx: TokensContext, installation_id: InstallationId) -> Installation | None:
    """The installation as it is now, None where the App was uninstalled."""
    try:
        return await ctx.app.get_installation(installation_id)
    except InstallationNotFound:
        return None


async def store(conn: Connection, installation_id: InstallationId, installation: Installation | None) -> None:
    """Makes the table say what `fetch_from_github` found."""
    if installation:
        await installations.upsert_installations(conn, [installation])
    else:
        await installations.mark_deleted(conn, installation_id)
