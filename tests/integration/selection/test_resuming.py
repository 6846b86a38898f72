"""A selection that is interrupted goes on where it was; what changes meanwhile doubles nothing and loses nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import count

import pytest

from shared.domain.ids import SelectionId
from shared.domain.selection import SelectionState
from shared.errors import Defer
from shared.postgres import selections
from tests.github_sandbox import RunningSandbox
from tests.worker_bench import until
from workers.selection.handlers import select_repositories

from .selecting import Selecting, names

COUNT = 450
_numbers = count(1)


@pytest.fixture
def org(github: RunningSandbox) -> Iterator[str]:
    """An organisation of 450 repositories: five pages."""
    login = f"res-{next(_numbers)}"
    github.add_organization(login)
    github.ask("POST", "repositories", {"owner": login, "count": COUNT, "like": {"name": "x", "language": "Go"}})
    github.ask("DELETE", "counters")
    return login


async def hold(selecting: Selecting, page: int, *, seconds: float) -> None:
    """Has GitHub hesitate so long before it answers a page."""
    fault = {"kind": "slow", "surface": "graphql", "skip": page, "count": 1, "seconds": seconds}
    selecting.sandbox.ask("POST", "faults", fault)


async def until_found(selecting: Selecting, selection_id: SelectionId, found: int) -> None:
    async def reached() -> bool:
        async with selecting.ctx.pool.acquire() as conn:
            return (await selections.get_selection(conn, selection_id)).found >= found

    await until(reached)


@pytest.mark.parametrize("page", [0, 2, 4])
@pytest.mark.parametrize("entry", ["org: {org}", "repositoriesMatchingQuery: 'org:{org} language:go'"])
async def test_after_a_kill_at_any_page_one_page_is_asked_again(
    selecting: Selecting, org: str, page: int, entry: str
) -> None:
    await hold(selecting, page, seconds=30)
    selection_id, command = await selecting.begin(f"on: [{{{entry.format(org=org)}}}]")
    killed = asyncio.ensure_future(select_repositories(selecting.ctx, command))
    await until_found(selecting, selection_id, 100 * page)
    await until(lambda: selecting.requests().get("graphql", 0) == page + 1)
    killed.cancel()
    with suppress(asyncio.CancelledError):
        await killed
    await select_repositories(selecting.ctx, command)
    selection, found = await selecting.result(selection_id)
    assert (selection.state, len(set(names(found)))) == (SelectionState.COMPLETE, COUNT)
    assert selecting.requests()["graphql"] == 5 + 1


async def test_a_hiccup_after_some_pages_is_no_attempt(selecting: Selecting, org: str) -> None:
    fault = {"kind": "status", "surface": "graphql", "skip": 2, "count": 1, "status": 503}
    selecting.sandbox.ask("POST", "faults", fault)
    selection_id, command = await selecting.begin(f"on: [{{org: {org}}}]")
    with pytest.raises(Defer):
        await select_repositories(selecting.ctx, command)
    await select_repositories(selecting.ctx, command)
    _, found = await selecting.result(selection_id)
    assert len(names(found)) == COUNT


def _renamed(sandbox: RunningSandbox, org: str) -> None:
    sandbox.ask("PATCH", f"repositories/{org}/repository-00010", {"name": "another"})
    sandbox.ask("PATCH", f"repositories/{org}/repository-00400", {"name": "a-name"})


def _created(sandbox: RunningSandbox, org: str) -> None:
    sandbox.add_repository(org, "new", language="Go")


def _gone(sandbox: RunningSandbox, org: str) -> None:
    sandbox.ask("PATCH", f"repositories/{org}/repository-00020", {"archived": True})
    sandbox.ask("DELETE", f"repositories/{org}/repository-00030")
    sandbox.add_organization(f"{org}-to")
    sandbox.ask("PATCH", f"repositories/{org}/repository-00040", {"owner": f"{org}-to"})


@pytest.mark.parametrize("change", [_renamed, _created, _gone])
@pytest.mark.parametrize("entry", ["org: {org}", "repositoriesMatchingQuery: 'org:{org} language:go archived:false'"])
async def test_what_changes_meanwhile_doubles_nothing_and_loses_nothing_that_was_there_throughout(
    selecting: Selecting, org: str, change: Callable[[RunningSandbox, str], None], entry: str
) -> None:
    _, before = await selecting.select(f"on: [{{org: {org}}}]")
    await hold(selecting, 2, seconds=0.7)
    selection_id, command = await selecting.begin(f"on: [{{{entry.format(org=org)}}}]")
    making = asyncio.ensure_future(select_repositories(selecting.ctx, command))
    await until_found(selecting, selection_id, 200)
    await asyncio.to_thread(change, selecting.sandbox, org)
    await making
    _, found = await selecting.result(selection_id)
    ids = [each.repository.node_id for each in found]
    assert len(ids) == len(set(ids))
    touched = {"repository-00020", "repository-00030", "repository-00040"} if change is _gone else set()
    assert {each.repository.node_id for each in before if each.repository.name not in touched} <= set(ids)


async def test_a_search_beyond_the_cap_finds_exactly_what_a_listing_has(
    selecting: Selecting, github: RunningSandbox
) -> None:
    login = f"res-{next(_numbers)}"
    github.add_organization(login)
    made = {
        "owner": login,
        "count": 2500,
        "created_since": "2015-01-01T00:00:00Z",
        "like": {"name": "", "language": "Go"},
    }
    github.ask("POST", "repositories", made)
    selection, searched = await selecting.select(f"on: [{{repositoriesMatchingQuery: 'org:{login} language:go'}}]")
    _, listed = await selecting.select(f"on: [{{org: {login}}}]")
    assert {each.repository.node_id for each in searched} == {each.repository.node_id for each in listed}
    assert (len(searched), len(listed)) == (2500, 2500)
    assert selection.requests <= 1.3 * 25
