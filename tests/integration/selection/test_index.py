"""The index says what GitHub says: after a full listing, a sweep, or whatever webhooks come in whatever order."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from itertools import count
from typing import Any

import pytest

from shared.clock import utcnow
from shared.domain.commands import sweep_repositories as command_for
from shared.domain.ids import InstallationId, OperationId
from shared.domain.installation import Installation
from shared.domain.permissions import SELECT, Level
from shared.domain.repository import Repository
from shared.github.webhooks import changed_repositories
from shared.postgres import installations, repositories
from shared.postgres.repository_changes import notice_changes
from tests.github_sandbox import RunningSandbox
from workers.runtime import Command
from workers.selection import indexing

from .selecting import Selecting, names

_numbers = count(1)
PROPERTIES = {**SELECT, "organization_custom_properties": Level.READ}


LIKE = {"name": "x", "topics": ["a"], "created_at": "2020-01-01T00:00:00Z", "pushed_at": "2020-01-01T00:00:00Z"}


class Indexed:
    """An organisation whose repositories are indexed."""

    def __init__(self, selecting: Selecting, org: str, installation_id: InstallationId) -> None:
        self.selecting, self.org, self.installation_id = selecting, org, installation_id

    async def sweep(self, *, is_full: bool = False) -> None:
        operation = command_for(self.installation_id, period=str(next(_numbers)), is_full=is_full)
        command = Command(
            operation_id=OperationId(operation.dedupe_key), type=operation.type, payload=operation.payload,
            actor="test", attempt=1,
        )  # fmt: skip
        await indexing.sweep_repositories(self.selecting.ctx, command)

    async def rows(self) -> list[Repository]:
        async with self.selecting.ctx.pool.acquire() as conn, conn.transaction():
            return [each async for batch in repositories.iter_index(conn, self.installation_id) for each in batch]

    async def truth(self) -> list[Repository]:
        """What GitHub lists, through a selection that asks it anew."""
        everything = "skip: {archived: false, forks: false}"
        _, found = await self.selecting.select(f"on: [{{org: {self.org}}}]\n{everything}", fresh=True)
        return [each.repository for each in found]

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        return self.selecting.sandbox.ask(method, path, body)


@pytest.fixture
async def indexed(selecting: Selecting, github: RunningSandbox) -> Indexed:
    """150 repositories, listed in full."""
    org = f"idx-{next(_numbers)}"
    installation_id = InstallationId(github.add_organization(org))
    github.ask("POST", "repositories", {"owner": org, "count": 150, "like": LIKE})
    found = Installation(
        id=installation_id, account=org, account_type="Organization", repository_selection="all",
        permissions=PROPERTIES, suspended_at=None, updated_at=utcnow(),
    )  # fmt: skip
    async with selecting.ctx.pool.acquire() as conn:
        await installations.store_installations(conn, [found], since={installation_id: None})
    indexed = Indexed(selecting, org, installation_id)
    await indexed.sweep()
    github.ask("DELETE", "counters")
    return indexed


async def test_a_sweep_of_what_did_not_change_costs_one_request(indexed: Indexed) -> None:
    assert await indexed.rows() == await indexed.truth()
    indexed.ask("DELETE", "counters")
    await indexed.sweep()
    assert indexed.selecting.requests()["graphql"] == 1
    selection, found = await indexed.selecting.select(f"on: [{{org: {indexed.org}}}]")
    assert (len(names(found)), selection.requests, selection.index_as_of is None) == (150, 1, False)


CHANGES: list[tuple[str, Callable[[str], tuple[str, str, Any]]]] = [
    ("created", lambda org: ("POST", "repositories", {"owner": org, "repositories": [{"name": "new"}]})),
    ("renamed", lambda org: ("PATCH", f"repositories/{org}/repository-00003", {"name": "other"})),
    ("archived", lambda org: ("PATCH", f"repositories/{org}/repository-00004", {"archived": True})),
    ("topics", lambda org: ("PATCH", f"repositories/{org}/repository-00005", {"topics": ["b", "c"]})),
    ("deleted", lambda org: ("DELETE", f"repositories/{org}/repository-00006", None)),
    (
        "pushed",
        lambda org: (
            "POST", f"repositories/{org}/repository-00007/commits", {"branch": "main", "files": {"a": "b"}},
        ),
    ),
]  # fmt: skip


@pytest.mark.parametrize("change", [change for _, change in CHANGES], ids=[name for name, _ in CHANGES])
async def test_a_selection_takes_in_first_what_changed(
    indexed: Indexed, change: Callable[[str], tuple[str, str, Any]]
) -> None:
    indexed.ask(*change(indexed.org))
    everything = "skip: {archived: false, forks: false}"
    _, found = await indexed.selecting.select(f"on: [{{org: {indexed.org}}}]\n{everything}")
    assert [each.repository for each in found] == await indexed.truth()


async def test_a_full_listing_that_is_interrupted_goes_on(indexed: Indexed) -> None:
    await indexed.selecting.ctx.pool.execute("DELETE FROM repository_indexes")
    indexed.ask("DELETE", "counters")
    indexed.ask("POST", "faults", {"kind": "slow", "surface": "graphql", "skip": 1, "count": 1, "seconds": 20})
    killed = asyncio.ensure_future(indexed.sweep())
    while indexed.selecting.requests().get("graphql", 0) < 2:
        await asyncio.sleep(0.02)
    killed.cancel()
    await asyncio.gather(killed, return_exceptions=True)
    await indexed.sweep()
    assert indexed.selecting.requests()["graphql"] == 3
    assert await indexed.rows() == await indexed.truth()


@pytest.mark.parametrize("seed", range(3))
async def test_whatever_webhooks_come_in_whatever_order_the_index_says_what_github_says(
    indexed: Indexed, seed: int
) -> None:
    shuffled = random.Random(seed)
    before = {each.name: each for each in await indexed.rows()}
    moves = shuffled.sample(CHANGES, k=len(CHANGES))
    for _, change in moves:
        indexed.ask(*change(indexed.org))
    after = {each.name: each for each in await indexed.truth()}
    touched = [each.node_id for name, each in (before | after).items() if before.get(name) != after.get(name)]
    deliveries = [{"repository": {"node_id": node_id}} for node_id in touched * 2]
    shuffled.shuffle(deliveries)
    async with indexed.selecting.ctx.pool.acquire() as conn:
        for payload in deliveries:
            await notice_changes(conn, indexed.installation_id, changed_repositories("repository", payload))
        await conn.execute("UPDATE repository_changes SET noticed_at = noticed_at - interval '1 minute'")
    await indexing.correct_repositories(indexed.selecting.ctx)
    assert {each.name: each for each in await indexed.rows()} == after
    assert await indexed.selecting.ctx.pool.fetchval("SELECT count(*) FROM repository_changes") == 0


async def test_custom_properties_come_with_a_full_listing_and_are_asked_for_where_they_decide(indexed: Indexed) -> None:
    granted = {"permissions": {name: level.value for name, level in PROPERTIES.items()}}
    indexed.ask("PATCH", f"installations/{indexed.installation_id}", granted)
    indexed.ask("PUT", f"repositories/{indexed.org}/repository-00002/properties", {"values": {"tier": "gold"}})
    await indexed.sweep(is_full=True)
    indexed.ask("DELETE", "counters")
    _, found = await indexed.selecting.select(f"on: [{{org: {indexed.org}, properties: {{tier: gold}}}}]")
    assert names(found) == ["repository-00002"]
    assert indexed.selecting.requests()["graphql"] == 1
    indexed.ask("PUT", f"repositories/{indexed.org}/repository-00003/properties", {"values": {"tier": "gold"}})
    _, found = await indexed.selecting.select(f"on: [{{org: {indexed.org}, properties: {{tier: gold}}}}]")
    assert names(found) == ["repository-00002", "repository-00003"]
    assert found[2].repository.properties == {"tier": ("gold",)}


async def test_what_a_delivery_says_has_changed() -> None:
    repository = {"node_id": "R_1", "default_branch": "main"}
    assert changed_repositories("push", {"ref": "refs/heads/main", "repository": repository}) == ["R_1"]
    assert changed_repositories("push", {"ref": "refs/heads/other", "repository": repository}) == []
    assert changed_repositories("pull_request", {"repository": repository}) == []
    moved = {"repositories_added": [{"node_id": "R_2"}], "repositories_removed": [{"node_id": "R_3"}]}
    assert changed_repositories("installation_repositories", moved) == ["R_2", "R_3"]


async def test_an_installation_that_cannot_be_asked_holds_up_no_other(indexed: Indexed) -> None:
    gone, [first, *_] = InstallationId(1), await indexed.rows()
    indexed.ask("PATCH", f"repositories/{first.name_with_owner}", {"topics": ["z"]})
    async with indexed.selecting.ctx.pool.acquire() as conn:
        await conn.execute("INSERT INTO repository_indexes (installation_id, account) VALUES (1, 'gone')")
        await notice_changes(conn, gone, ["R_gone"])
        await notice_changes(conn, indexed.installation_id, [first.node_id])
        await conn.execute("UPDATE repository_changes SET noticed_at = noticed_at - interval '1 minute'")
    await indexing.correct_repositories(indexed.selecting.ctx)
    assert (await indexed.rows())[0].topics == ("z",)


async def test_where_very_much_changed_a_listing_is_the_better_question(
    indexed: Indexed, github: RunningSandbox
) -> None:
    github.ask("POST", "repositories", {"owner": indexed.org, "count": 1000, "prefix": "new"})
    selection, found = await indexed.selecting.select(f"on: [{{org: {indexed.org}}}]")
    assert (len(names(found)), selection.index_as_of) == (1150, None)
    assert selection.requests <= 12 + 1 + 12 // 4 + 1
