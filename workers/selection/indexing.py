"""The index of an installation's repositories: listed in full once a day, swept in between, corrected by webhooks.

| what | when | what it costs |
| --- | --- | --- |
| a listing | where there is none, once a day, and where counts do not add up | a request for 100 repositories |
| a sweep | every so often, and before a selection is answered | one request, and one for each 100 that changed |
| a correction | some seconds after a webhook spoke of a repository | one request for up to 100 of them |

A webhook says only that something changed: GitHub is asked what the repository is like now, so that neither order nor
repetition of deliveries matters. Custom properties come with full listings, where the App may read them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import structlog

from shared.clock import utcnow
from shared.domain import commands
from shared.domain.ids import InstallationId
from shared.domain.installation import Installation
from shared.domain.repository import Repository
from shared.domain.repository_index import RepositoryIndex
from shared.errors import GitHubError, GitHubForbidden, GitHubUnavailable, InvalidSettings, NotFound, NotPermitted
from shared.github.paging import LARGEST, PageSize
from shared.github.properties import fetch_properties
from shared.github.repositories import changed_since, fetch_by_ids, page_of_owner
from shared.observability import metrics
from shared.postgres import installations, repositories, repository_changes
from workers.runtime import Command

from .access import SEE_PROPERTIES, Access, Account
from .context import SelectionContext
from .turns import Turn

FULL_LISTING_AFTER = timedelta(days=1)

OVERLAP = timedelta(minutes=2)
"""How far a sweep looks back behind the last one: a replica of GitHub may have been behind then."""

SETTLED = timedelta(seconds=5)
"""How old a webhook must be before GitHub is asked: a replica may not know yet what the webhook said."""

AFTER_AN_ERROR = timedelta(minutes=1)
"""How long the changes of an installation wait that GitHub gave an error for."""

_log = structlog.get_logger(__name__)


async def begin_sweeps(ctx: SelectionContext) -> None:
    """Has every index swept that is due, and forgets those of installations that are gone."""
    now = utcnow()
    async with ctx.outbox.transaction() as work:
        active = [each for each in await installations.list_installations(work.conn) if each.suspended_at is None]
        indexes = {each.installation_id: each for each in await repositories.list_indexes(work.conn)}
        period = f"{int(now.timestamp() // ctx.index_sweep_every.total_seconds())}"
        due = [each.id for each in active if _is_due(indexes.get(each.id), ctx)]
        await work.accept(*(commands.sweep_repositories(each, period=period) for each in due))
        for gone in indexes.keys() - {each.id for each in active}:
            await repositories.forget_index(work.conn, gone)


def _is_due(index: RepositoryIndex | None, ctx: SelectionContext) -> bool:
    return index is None or index.swept_at is None or utcnow() - index.swept_at >= ctx.index_sweep_every


async def sweep_repositories(ctx: SelectionContext, command: Command) -> None:
    """Makes the index of one installation say what GitHub says; an error stands on the index until the next sweep."""
    installation_id = InstallationId(command.payload["installation_id"])
    async with ctx.pool.acquire() as conn:
        installation = await installations.get_installation(conn, installation_id)
        known = await repositories.fetch_index(conn, installation_id)
    index = known or RepositoryIndex(installation_id=installation_id, account=installation.account)
    access = Access(ctx.tokens, ctx.github, run_id=None, purpose=f"index of {installation.account}")
    try:
        index = replace(index, account=installation.account)
        await _sweep(ctx, installation, index, access, is_full=command.payload["is_full"])
    except (GitHubError, NotPermitted, InvalidSettings) as error:
        async with ctx.pool.acquire() as conn:
            await repositories.note_index_error(conn, index, error=str(error))
        raise


async def _sweep(
    ctx: SelectionContext, installation: Installation, index: RepositoryIndex, access: Access, *, is_full: bool
) -> None:
    account = await access.account(installation.account)
    is_under_way = index.sweep_started_at is not None
    if is_full or index.completed_at is None or is_under_way or utcnow() - index.completed_at > FULL_LISTING_AFTER:
        await _list_all(ctx, installation, index, access, account)
    elif await take_changes(ctx, index, access, account) is None:
        _log.info("index_does_not_add_up", account=index.account)
        await _list_all(ctx, installation, index, access, account)


async def _list_all(
    ctx: SelectionContext, installation: Installation, index: RepositoryIndex, access: Access, account: Account
) -> None:
    """A full listing, stored page by page, which goes on where one that was interrupted ended."""
    turn, size = Turn(), PageSize()
    started_at = index.sweep_started_at or utcnow()
    index = replace(index, sweep_started_at=started_at)
    while True:
        turn.check()
        asked_at = utcnow()
        try:
            async with access.token(account.installation_id) as token:
                page = await page_of_owner(
                    ctx.github,
                    index.account,
                    after=index.sweep_cursor,
                    size=size,
                    installation_id=account.installation_id,
                    token=token,
                )
        except GitHubUnavailable as error:
            raise turn.excuse(error) from error
        async with ctx.pool.acquire() as conn, conn.transaction():
            given = _given(page.repositories, account)
            await repositories.upsert_repositories(conn, given, seen_at=asked_at)
            index = replace(index, sweep_cursor=page.after)
            await repositories.record_index(conn, index)
        turn.pages += 1
        if page.after is None:
            break
    properties = await _properties(ctx, installation, access)
    async with ctx.pool.acquire() as conn, conn.transaction():
        await repositories.remove_unseen(conn, index.installation_id, before=started_at)
        await repositories.set_properties(conn, index.installation_id, properties)
        total = await repositories.count_repositories(conn, index.installation_id)
        listed = RepositoryIndex(
            installation_id=index.installation_id,
            account=index.account,
            completed_at=started_at,
            swept_at=started_at,
            total=total,
            uncounted=page.total - total,
        )
        await repositories.record_index(conn, listed)
    _log.info("index_listed", account=index.account, repositories=total)


async def take_changes(
    ctx: SelectionContext, index: RepositoryIndex, access: Access, account: Account
) -> RepositoryIndex | None:
    """The complete index, with what changed since it was swept; None where a listing must say.

    That is where it then has not as many as GitHub counts, and where too much changed.
    """
    assert index.swept_at  # noqa: S101 - only a complete index is swept
    asked_at = utcnow()
    async with access.token(account.installation_id) as token:
        found = await changed_since(
            ctx.github,
            index.account,
            index.swept_at - OVERLAP,
            installation_id=account.installation_id,
            token=token,
        )
    if found is None:
        return None
    changed, total = found
    async with ctx.pool.acquire() as conn, conn.transaction():
        await repositories.upsert_repositories(conn, _given(changed, account), seen_at=asked_at)
        count = await repositories.count_repositories(conn, index.installation_id)
        if count + index.uncounted != total:
            return None
        await repositories.record_sweep(conn, index.installation_id, swept_at=asked_at, total=count)
    _log.info("index_swept", account=index.account, changed=len(changed), repositories=count)
    return replace(index, swept_at=asked_at, total=count)


async def correct_repositories(ctx: SelectionContext) -> None:
    """Asks GitHub for what webhooks spoke of, until nothing is left that is old enough.

    An installation that cannot be asked holds up no other: its changes wait for a while.
    """
    while True:
        async with ctx.pool.acquire() as conn:
            changes = await repository_changes.fetch_settled_changes(conn, settled=SETTLED, limit=LARGEST)
        if not changes:
            return
        try:
            await _correct(ctx, changes)
        except (GitHubError, InvalidSettings, NotFound, NotPermitted) as error:
            _log.warning("index_not_corrected", installation_id=changes[0].installation_id, why=str(error))
            async with ctx.pool.acquire() as conn:
                await repository_changes.postpone_changes(conn, changes[0].installation_id, by=AFTER_AN_ERROR)


async def _correct(ctx: SelectionContext, changes: Sequence[repository_changes.RepositoryChange]) -> None:
    installation_id, node_ids = changes[0].installation_id, [each.node_id for each in changes]
    async with ctx.pool.acquire() as conn:
        installation = await installations.get_installation(conn, installation_id)
    access = Access(ctx.tokens, ctx.github, run_id=None, purpose=f"index of {installation.account}")
    account = await access.account(installation.account)
    asked_at = utcnow()
    async with access.token(installation_id) as token:
        found = await fetch_by_ids(ctx.github, node_ids, installation_id=installation_id, token=token)
    mine = [each for each in found.values() if each.owner.lower() == installation.account.lower()]
    there = _given(mine, account)
    async with ctx.pool.acquire() as conn, conn.transaction():
        await repositories.upsert_repositories(conn, there, seen_at=asked_at)
        gone = set(node_ids) - {each.node_id for each in there}
        await repositories.remove_repositories(conn, installation_id, list(gone))
        await repository_changes.forget_changes(conn, changes)
    _log.info("index_corrected", account=installation.account, changed=len(there), gone=len(gone))


async def show_indexes(ctx: SelectionContext) -> None:
    """Sets the gauges of indexes."""
    async with ctx.pool.acquire() as conn:
        indexes = await repositories.list_indexes(conn)
    metrics.INDEX_AGE.clear()
    metrics.INDEX_REPOSITORIES.clear()
    for index in indexes:
        if index.swept_at:
            metrics.INDEX_AGE.labels(index.account).set((utcnow() - index.swept_at).total_seconds())
        metrics.INDEX_REPOSITORIES.labels(index.account).set(index.total or 0)


def _given(found: Sequence[Repository], account: Account) -> list[Repository]:
    """Those that the installation was given."""
    accessible = account.accessible
    return [each for each in found if accessible is None or each.database_id in accessible]


async def _properties(
    ctx: SelectionContext, installation: Installation, access: Access
) -> dict[int, dict[str, tuple[str, ...]]]:
    """Custom properties by database id; none where the App may not read them."""
    if "organization_custom_properties" not in installation.permissions:
        return {}
    try:
        async with access.token(installation.id, besides=SEE_PROPERTIES) as token:
            found = await fetch_properties(ctx.github, installation.account, token=token)
    except (GitHubForbidden, NotPermitted) as error:
        _log.info("index_without_properties", account=installation.account, why=str(error))
        return {}
    return {database_id: dict(properties) for database_id, properties in found.items()}
