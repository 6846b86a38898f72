"""From the entries of a spec to the shards that are asked for first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from shared.domain.ids import RunId
from shared.domain.installation import Installation
from shared.domain.shards import NewShard
from shared.domain.spec import (
    CampaignEntry,
    CodeSearchEntry,
    IncludingEntry,
    InstallationEntry,
    OrganizationEntry,
    RepositoriesEntry,
    RepositoryEntry,
    RunEntry,
    SearchEntry,
    TeamEntry,
    UserEntry,
)
from shared.errors import InstallationNotFound, InvalidInput, NotFound
from shared.postgres import installations, runs, selections
from shared.postgres.target_counts import count_by_state

from .index_answers import usable_index
from .making import ABOUT_THE_ENTRY, Making, about
from .queries import for_each_installation, split_by_owner

Request = Mapping[str, Any]
Asked = tuple[Request, int | None]
"""What is asked, and how many repositories it finds, None where that is not known."""

Name = tuple[int, str, tuple[str, ...]]
"""The entry that has it, owner/name, and branches."""


async def first_shards(making: Making) -> list[NewShard]:
    """What to ask for, of every entry; entries that name repositories of one owner are asked for together.

    Raises what is wrong with an entry, and says which.
    """
    shards: list[NewShard] = []
    names: list[Name] = []
    for index, entry in enumerate(making.spec.on):
        if isinstance(entry, RepositoryEntry | RepositoriesEntry):
            names += _names(index, entry)
            continue
        try:
            requests = await _requests(making, index, making.entry(index))
        except (*ABOUT_THE_ENTRY, InvalidInput) as error:
            raise about(error, making, index) from error
        shards += [
            NewShard(path=f"{index:04}.{number:04}", entry=index, request=request, expected=expected)
            for number, (request, expected) in enumerate(requests)
        ]
    return shards + list(_named(names))


def _named(names: Sequence[Name]) -> list[NewShard]:
    by_owner: dict[str, list[Name]] = {}
    for each in names:
        by_owner.setdefault(each[1].partition("/")[0].lower(), []).append(each)
    return [
        NewShard(
            path=f"{of_owner[0][0]:04}.n{number:04}",
            entry=of_owner[0][0],
            request={"kind": "named", "owner": owner, "names": [[*each] for each in of_owner]},
            expected=len(of_owner),
        )
        for number, (owner, of_owner) in enumerate(by_owner.items())
    ]


def _names(index: int, entry: RepositoryEntry | RepositoriesEntry) -> list[Name]:
    if isinstance(entry, RepositoryEntry):
        return [(index, entry.repository, entry.branches)]
    branches: dict[str, list[str]] = {}
    for each in entry.repositories:
        name, _, branch = each.partition("@")
        branches.setdefault(name, []).extend([branch] if branch else [])
    return [(index, name, tuple(dict.fromkeys(given))) for name, given in branches.items()]


async def _requests(making: Making, index: int, entry: IncludingEntry) -> list[Asked]:
    match entry:
        case SearchEntry(repositories_matching_query=query):
            return await _searches(making, "search", query)
        case CodeSearchEntry(code_search=query):
            return await _searches(making, "code", query)
        case CampaignEntry():
            return [await _selected_before(making, entry.campaign)]
        case RunEntry():
            return [await _targets(making, entry)]
        case RepositoryEntry() | RepositoriesEntry():  # within `exclude`
            return [(shard.request, shard.expected) for shard in _named(_names(index, entry))]
        case _:
            return [(request, None) for request in await _listings(making, entry)]


async def _listings(making: Making, entry: IncludingEntry) -> list[Request]:
    match entry:
        case OrganizationEntry(org=owner) | UserEntry(user=owner):
            return [await _listing(making, owner)]
        case TeamEntry():
            return [{"kind": "team", "team": entry.team}]
        case InstallationEntry():
            return [await _installation(making, owner) for owner in await _owners(making, entry.installation)]
        case _:
            raise AssertionError(f"the gateway takes no {type(entry).__name__}")


async def _searches(making: Making, kind: str, query: str) -> list[Asked]:
    owned = split_by_owner(query) or for_each_installation(query, await _active(making))
    return [({"kind": kind, "owner": each.owner, "query": each.query}, None) for each in owned]


async def _active(making: Making) -> list[Installation]:
    async with making.ctx.pool.acquire() as conn:
        known = await installations.list_installations(conn)
    active = [each for each in known if each.suspended_at is None]
    if not active:
        raise InstallationNotFound("the App is installed nowhere, so there is nothing to search")
    return active


async def _owners(making: Making, installation: str) -> list[str]:
    return [each.account for each in await _active(making)] if installation == "*" else [installation]


async def _listing(making: Making, owner: str) -> Request:
    """From the index where there is a complete one, else from GitHub."""
    account = await making.access.account(owner)
    if not making.selection.is_fresh:
        index = await usable_index(making.ctx, making.access, account, owner)
        if index and index.swept_at:
            return {"kind": "index", "owner": owner, "as_of": index.swept_at.isoformat()}
    return {"kind": "listing", "owner": owner}


async def _installation(making: Making, owner: str) -> Request:
    request = await _listing(making, owner)
    account = await making.access.account(owner)
    return request if request["kind"] == "index" or account.accessible is None else {"kind": "given", "owner": owner}


async def _selected_before(making: Making, campaign: str) -> tuple[Request, int]:
    async with making.ctx.pool.acquire() as conn:
        found = await selections.fetch_latest_of_campaign(conn, campaign)
    if found is None:
        raise InvalidInput(f"there is no campaign {campaign} with a selection: apply or preview it first")
    return {"kind": "selection", "selection_id": str(found.id), "campaign": campaign}, found.included


async def _targets(making: Making, entry: RunEntry) -> tuple[Request, int]:
    run_id = RunId(entry.run)
    async with making.ctx.pool.acquire() as conn:
        try:
            await runs.get_run(conn, run_id)
        except NotFound as error:
            raise InvalidInput(f"there is no run {run_id}") from error
        counts = await count_by_state(conn, run_id)
    states = [state.value for state in entry.states]
    request = {"kind": "targets", "run_id": str(run_id), "states": states}
    return request, sum(counts.get(state, 0) for state in entry.states)
