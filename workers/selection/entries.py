"""What each entry of `on` finds on GitHub. Errors name the entry."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from itertools import groupby

from shared.clock import utcnow
from shared.domain.selection import SelectedRepository
from shared.domain.spec import OnEntry, OrganizationEntry, RepositoryEntry, SearchEntry
from shared.errors import (
    GitHubForbidden,
    GitHubInvalid,
    GitHubNotFound,
    InstallationNotFound,
    InstallationSuspended,
    NotPermitted,
    OctobatchError,
)
from shared.github.repositories import NamedRepository, WantedRepository, fetch_by_name, list_repositories
from shared.github.search import search_repositories
from shared.postgres import installations

from .access import Access
from .candidates import NOT_GIVEN, candidate, filtered
from .context import SelectionContext
from .queries import OwnedQuery, for_each_installation, split_by_owner

_ABOUT_THE_ENTRY = (
    GitHubForbidden,
    GitHubInvalid,
    GitHubNotFound,
    InstallationNotFound,
    InstallationSuspended,
    NotPermitted,
)


async def find_repositories(
    ctx: SelectionContext, entries: Sequence[OnEntry], access: Access
) -> list[SelectedRepository]:
    """What all entries find, in their order, a repository as often as it is found.

    Raises the errors of GitHub, with the entry that they are about; a named repository or branch that does not exist,
    or that the App may not see, is `GitHubNotFound`.
    """
    found: list[SelectedRepository] = []
    numbered = list(enumerate(entries))
    for is_named, group in groupby(numbered, key=lambda pair: isinstance(pair[1], RepositoryEntry)):
        if is_named:
            named = [(index, entry) for index, entry in group if isinstance(entry, RepositoryEntry)]
            found += await _named(ctx, named, access)
            continue
        for index, entry in group:
            try:
                found += [each async for each in _found_by(ctx, index, entry, access)]
            except _ABOUT_THE_ENTRY as error:
                raise _about(error, index, entry) from error
    return found


async def _found_by(
    ctx: SelectionContext, index: int, entry: OnEntry, access: Access
) -> AsyncIterator[SelectedRepository]:
    if isinstance(entry, SearchEntry):
        for owned in await _owned_queries(ctx, entry.repositories_matching_query):
            async for each in _searched(ctx, index, owned, access):
                yield each
    elif isinstance(entry, OrganizationEntry):
        async for each in _listed(ctx, index, entry, access):
            yield each


async def _owned_queries(ctx: SelectionContext, query: str) -> list[OwnedQuery]:
    owned = split_by_owner(query)
    if owned:
        return owned
    async with ctx.pool.acquire() as conn:
        known = await installations.list_installations(conn)
    active = [each for each in known if each.suspended_at is None]
    if not active:
        raise InstallationNotFound("the App is installed nowhere, so there is nothing to search")
    return for_each_installation(query, active)


async def _searched(
    ctx: SelectionContext, index: int, owned: OwnedQuery, access: Access
) -> AsyncIterator[SelectedRepository]:
    account = await access.account(owned.owner)
    async with access.token(account.installation_id) as token:
        async for repository in search_repositories(
            ctx.github, owned.query, installation_id=account.installation_id, token=token, now=utcnow()
        ):
            reason = f"the search {owned.query} finds it"
            yield candidate(repository, entry=index, reason=reason, accessible=account.accessible)


async def _listed(
    ctx: SelectionContext, index: int, entry: OrganizationEntry, access: Access
) -> AsyncIterator[SelectedRepository]:
    account = await access.account(entry.org)
    async with access.token(account.installation_id) as token:
        async for listed in list_repositories(
            ctx.github,
            entry.org,
            installation_id=account.installation_id,
            token=token,
        ):
            reason = f"{entry.org} owns it"
            found = candidate(listed, entry=index, reason=reason, accessible=account.accessible)
            yield filtered(found, entry, now=utcnow())


async def _named(
    ctx: SelectionContext, named: Sequence[tuple[int, RepositoryEntry]], access: Access
) -> list[SelectedRepository]:
    """Entries that name repositories, asked for together, many a request for each owner."""
    by_index: dict[int, list[SelectedRepository]] = {}
    by_owner: dict[str, list[tuple[int, RepositoryEntry]]] = {}
    for index, entry in named:
        by_owner.setdefault(entry.repository.partition("/")[0].lower(), []).append((index, entry))
    for owner, entries in by_owner.items():
        try:
            account = await access.account(owner)
        except _ABOUT_THE_ENTRY as error:
            raise _about(error, *entries[0]) from error
        wanted = [WantedRepository(name_with_owner=entry.repository, branches=entry.branches) for _, entry in entries]
        async with access.token(account.installation_id) as token:
            answers = await fetch_by_name(ctx.github, wanted, installation_id=account.installation_id, token=token)
        for (index, entry), answer in zip(entries, answers, strict=True):
            by_index[index] = await _chosen(index, entry, answer, access)
    return [each for index, _ in named for each in by_index[index]]


async def _chosen(
    index: int, entry: RepositoryEntry, answer: NamedRepository | None, access: Access
) -> list[SelectedRepository]:
    if answer is None:
        raise _about(GitHubNotFound("it does not exist, or the App may not see it"), index, entry)
    # a repository may have moved to another owner, whose installation serves it now
    account = await access.account(answer.repository.owner)
    repository = replace(answer.repository, installation_id=account.installation_id)
    found = candidate(repository, entry=index, reason="the spec names it", accessible=account.accessible)
    if found.reason == NOT_GIVEN:
        raise _about(GitHubNotFound(f"{NOT_GIVEN}: add it to the installation"), index, entry)
    if not entry.branches or not found.included:
        return [found]
    missing = [branch for branch in entry.branches if branch not in answer.heads]
    if missing:
        raise _about(GitHubNotFound(f"it has no branch {', '.join(missing)}"), index, entry)
    return [replace(found, branch=branch, head_oid=answer.heads[branch]) for branch in entry.branches]


def _about(error: OctobatchError, index: int, entry: OnEntry) -> OctobatchError:
    """The same error, saying which entry of the spec it is about."""
    match entry:
        case SearchEntry():
            what = f"repositoriesMatchingQuery {entry.repositories_matching_query!r}"
        case OrganizationEntry():
            what = f"org {entry.org}"
        case RepositoryEntry():
            what = f"repository {entry.repository}"
        case _:
            what = type(entry).__name__
    return type(error)(f"on.{index} ({what}): {error}")
