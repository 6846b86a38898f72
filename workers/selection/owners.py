"""Who owns the repositories of a selection: their CODEOWNERS, each file read once, and the teams that it names.

Where a repository has its file is asked of a hundred repositories at once; the text only of files that nobody read yet,
since many repositories have the same one. What is stored is not asked again, so an interrupted command goes on.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

import structlog

from shared.domain.codeowners import LARGEST_BYTES, PLACES, Owner, OwnerKind, OwnersFile
from shared.domain.ids import InstallationId, SelectionId
from shared.domain.selection import SelectedRepository
from shared.errors import GitHubForbidden, GitHubInvalid, GitHubNotFound, InstallationNotFound, NotPermitted
from shared.github.files import fetch_blob, fetch_files
from shared.github.paging import LARGEST
from shared.github.teams import fetch_teams
from shared.postgres import owners
from workers.runtime import Command

from .access import SEE_TEAMS, Access
from .context import SelectionContext

TEAMS_KEPT = timedelta(days=1)
"""How long what GitHub said of a team is believed."""

_log = structlog.get_logger(__name__)


async def resolve_owners(ctx: SelectionContext, command: Command) -> None:
    """Finds the owners of every repository that the selection has in."""
    selection_id = SelectionId(UUID(command.payload["selection_id"]))
    access = Access(ctx.tokens, ctx.github, run_id=None, purpose=f"owners of selection {selection_id}")
    await _locate(ctx, access, selection_id)
    await _read(ctx, access, selection_id)
    await _resolve_teams(ctx, access, selection_id)


async def _locate(ctx: SelectionContext, access: Access, selection_id: SelectionId) -> None:
    while True:
        async with ctx.pool.acquire() as conn:
            batch = await owners.fetch_unlocated(conn, selection_id, limit=LARGEST)
        if not batch:
            return
        places = await _places(ctx, access, [each for _, each in batch])
        async with ctx.pool.acquire() as conn:
            await owners.record_places(conn, selection_id, places)


async def _places(
    ctx: SelectionContext, access: Access, batch: Sequence[SelectedRepository]
) -> list[tuple[str, str, str | None, str | None]]:
    """Node id, branch, path and blob of each."""
    groups: dict[tuple[InstallationId, str], list[SelectedRepository]] = {}
    for each in batch:
        groups.setdefault((each.repository.installation_id, each.revision), []).append(each)
    found: list[tuple[str, str, str | None, str | None]] = []
    for (installation_id, revision), group in groups.items():
        node_ids = [each.repository.node_id for each in group]
        async with access.token(installation_id) as token:
            files = await fetch_files(
                ctx.github, node_ids, revision=revision, paths=PLACES, with_text=False, token=token
            )
        for each in group:
            of_repository = files.get(each.repository.node_id, {})
            path = next((place for place in PLACES if place in of_repository), None)
            blob = of_repository[path].oid if path else None
            found.append((each.repository.node_id, each.branch, path, blob))
    return found


async def _read(ctx: SelectionContext, access: Access, selection_id: SelectionId) -> None:
    while True:
        async with ctx.pool.acquire() as conn:
            unread = await owners.fetch_unread(conn, selection_id, limit=LARGEST)
        if not unread:
            return
        groups: dict[tuple[InstallationId, str], list[owners.UnreadFile]] = {}
        for each in unread:
            groups.setdefault((each.installation_id, each.revision), []).append(each)
        for (installation_id, revision), group in groups.items():
            async with access.token(installation_id) as token:
                texts = await _texts(ctx, group, revision=revision, token=token)
            async with ctx.pool.acquire() as conn:
                await owners.record_files(conn, texts)


async def _texts(
    ctx: SelectionContext, unread: Sequence[owners.UnreadFile], *, revision: str, token: str
) -> dict[str, tuple[str | None, str | None]]:
    """By blob, the text or what is wrong with it: from many repositories at once, else each by itself."""
    node_ids = list(dict.fromkeys(each.node_id for each in unread))
    files = await fetch_files(ctx.github, node_ids, revision=revision, paths=PLACES, with_text=True, token=token)
    known = {file.oid: file.text for of_repository in files.values() for file in of_repository.values()}
    texts: dict[str, tuple[str | None, str | None]] = {}
    for each in unread:
        text = known.get(each.blob_oid)
        texts[each.blob_oid] = (text, None) if text is not None else await _text(ctx, each, token=token)
    return texts


async def _text(ctx: SelectionContext, unread: owners.UnreadFile, *, token: str) -> tuple[str | None, str | None]:
    """The text of a file that is long, or was changed meanwhile; or what is wrong with it."""
    try:
        content = await fetch_blob(ctx.github, unread.name_with_owner, unread.blob_oid, token=token)
    except (GitHubInvalid, GitHubNotFound) as error:
        return None, error.message
    if len(content) > LARGEST_BYTES:
        return None, f"it has {len(content)} bytes, and GitHub ignores files of more than {LARGEST_BYTES}"
    try:
        return content.decode(), None
    except UnicodeDecodeError:
        return None, "it is no text in UTF-8"


async def _resolve_teams(ctx: SelectionContext, access: Access, selection_id: SelectionId) -> None:
    async with ctx.pool.acquire() as conn:
        documents = await owners.list_documents(conn, selection_id)
        named = {owner.name.lower() for text in documents for owner in _teams_in(text)}
        unknown = await owners.fetch_unknown_teams(conn, sorted(named), max_age=TEAMS_KEPT)
    by_organization: dict[str, list[str]] = {}
    for slug in unknown:
        organization, _, team = slug.partition("/")
        by_organization.setdefault(organization, []).append(team)
    for organization, teams in by_organization.items():
        try:
            found = await _teams(ctx, access, organization, teams)
        except (GitHubForbidden, InstallationNotFound, NotPermitted) as error:
            _log.info("teams_not_resolved", organization=organization, why=str(error))
            continue
        async with ctx.pool.acquire() as conn:
            await owners.record_teams(conn, found)


def _teams_in(text: str) -> list[Owner]:
    return [owner for owner in OwnersFile(text).all_owners if owner.kind is OwnerKind.TEAM]


async def _teams(ctx: SelectionContext, access: Access, organization: str, slugs: Sequence[str]) -> list[owners.Team]:
    account = await access.account(organization)
    async with access.token(account.installation_id, besides=SEE_TEAMS) as token:
        found = await fetch_teams(ctx.github, organization, slugs, token=token)
    return [
        owners.Team(
            slug=f"{organization}/{slug}",
            name=found[slug].name if slug in found else slug,
            members=found[slug].members if slug in found else (),
            is_missing=slug not in found,
        )
        for slug in slugs
    ]
