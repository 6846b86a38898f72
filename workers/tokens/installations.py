"""Installations of the App: the table follows what GitHub says, by webhooks and by a sweep for what they missed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import structlog

from shared.clock import utcnow
from shared.domain.drift import Change, compared
from shared.domain.ids import InstallationId
from shared.domain.installation import Installation
from shared.errors import GitHubNotFound, InstallationNotFound, Unavailable
from shared.postgres import installations

from .context import TokensContext

SYNC_SECONDS = 300.0
"""How often the table is compared with GitHub."""

ROUNDS = 5
"""How often GitHub is asked again because another process stored another answer meanwhile."""

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, kw_only=True)
class Synced:
    """How many installations there are, and how much was new."""

    installations: int
    changes: int


async def sync_installations(ctx: TokensContext) -> Synced:
    """Asks GitHub for all installations and makes the table say the same; records what changed, once.

    Raises what GitHub raises, and `Unavailable` where other processes stored other answers all the time.
    """
    webhook_url = await _webhook_url(ctx)
    changed: list[Change] = []
    for _ in range(ROUNDS):
        async with ctx.pool.acquire() as conn:
            since = await installations.fetch_checks(conn)
            known = await installations.list_installations(conn)
        listed = await ctx.app.list_installations()
        found = [replace(compared(each, ctx.expected), webhook_url=webhook_url) for each in listed]
        stored = await _store(ctx, found, since)
        changed += stored.changes
        if not stored.contested:
            break
    else:
        raise Unavailable("the table of installations", "other processes store other answers all the time")
    for each in {each.id for each in known} - {each.id for each in found}:
        changed += await refresh(ctx, each)
    _log.info("installations_synced", installations=len(found), changes=len(changed))
    return Synced(installations=len(found), changes=len(changed))


async def refresh(ctx: TokensContext, installation_id: InstallationId) -> Sequence[Change]:
    """Asks GitHub for one installation and stores what it says; gives what changed. Raises as `sync_installations`."""
    for _ in range(ROUNDS):
        async with ctx.pool.acquire() as conn:
            known = await installations.fetch_installation(conn, installation_id)
        found = await _now(ctx, installation_id, known)
        if found is None:
            return ()
        stored = await _store(ctx, [found], {installation_id: known.checked_at if known else None})
        if not stored.contested:
            return stored.changes
    raise Unavailable("the table of installations", "other processes store other answers all the time")


async def installation_of(ctx: TokensContext, account: str) -> Installation:
    """The installation on an account, from the table or from GitHub; raises `InstallationNotFound`."""
    async with ctx.pool.acquire() as conn:
        known = await installations.fetch_installation_of(conn, account)
    if known:
        return known
    found = await ctx.app.installation_of(account)
    await refresh(ctx, found.id)
    return found


async def _store(
    ctx: TokensContext, found: Sequence[Installation], since: dict[InstallationId, datetime | None]
) -> installations.Stored:
    async with ctx.pool.acquire() as conn, conn.transaction():
        stored = await installations.store_installations(conn, found, since=since)
    for change in stored.changes:
        _log.info(f"installation_{change.type}", installation_id=change.installation_id, **change.details)
    for touched in stored.touched:
        await ctx.minting.installation_changed(touched)
    return stored


async def _now(ctx: TokensContext, installation_id: InstallationId, known: Installation | None) -> Installation | None:
    try:
        found = await ctx.app.get_installation(installation_id)
    except InstallationNotFound:
        return replace(known, deleted_at=known.deleted_at or utcnow()) if known else None
    webhook_url = known.webhook_url if known else await _webhook_url(ctx)
    return replace(compared(found, ctx.expected), webhook_url=webhook_url)


async def _webhook_url(ctx: TokensContext) -> str | None:
    """Where GitHub sends the App's webhooks; None where it has none."""
    try:
        return (await ctx.app.hook_config()).get("url") or None
    except GitHubNotFound:
        return None
