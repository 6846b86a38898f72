"""A search beyond 1,000 results is complete, or it is an error.

GitHub here is the least that a search needs: repositories with a time of creation, counts, pages, and the cap.
The sandbox's own search is tried in the integration tests.
"""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.ids import InstallationId
from shared.errors import GitHubInvalid, GitHubUnavailable
from shared.github.client import GitHubClient
from shared.github.search import BEGINNING, CAP, Shard, search_repositories

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
RANGE = re.compile(r"created:(\S+)\.\.(\S+)")


@dataclass
class Searched:
    """Repositories by number, each with the time it was created at; `forgets` are counted and never given."""

    created: dict[int, datetime]
    forgets: frozenset[int] = frozenset()
    requests: list[dict[str, Any]] = field(default_factory=list)

    def matching(self, query: str) -> list[int]:
        found = RANGE.search(query)
        if not found:
            return list(self.created)
        first, last = (datetime.fromisoformat(each) for each in found.groups())
        return [number for number, created in self.created.items() if first <= created <= last]

    def __call__(self, request: httpx.Request) -> httpx.Response:
        sent = json.loads(request.content)
        self.requests.append(sent)
        variables = sent["variables"]
        if "CountHalves" in sent["query"]:
            counts = {name: {"repositoryCount": len(self.matching(variables[name]))} for name in ("older", "newer")}
            return httpx.Response(200, json={"data": counts})
        matching = self.matching(variables["query"])
        start = int(variables["after"] or 0)
        nodes = [node(number) for number in matching[:CAP][start : start + 100] if number not in self.forgets]
        following = start + 100 if start + 100 < min(len(matching), CAP) else None
        info = {"hasNextPage": following is not None, "endCursor": following and str(following)}
        found = {"repositoryCount": len(matching), "pageInfo": info, "nodes": nodes}
        return httpx.Response(200, json={"data": {"search": found}})


def node(number: int) -> dict[str, Any]:
    return {
        "id": f"R_{number}", "databaseId": number, "nameWithOwner": f"acme/r{number}", "isArchived": False,
        "isFork": False, "visibility": "PUBLIC", "isTemplate": False, "primaryLanguage": {"name": "Go"},
        "createdAt": "2024-01-01T00:00:00Z", "pushedAt": None, "repositoryTopics": {"nodes": []},
        "defaultBranchRef": {"name": "main", "target": {"oid": "1" * 40}},
    }  # fmt: skip


@asynccontextmanager
async def client_of(searched: Searched) -> AsyncIterator[GitHubClient]:
    async with httpx.AsyncClient(transport=httpx.MockTransport(searched)) as http:
        yield GitHubClient(http, "https://api.github.com")


async def found_in(searched: Searched, query: str = "org:acme") -> list[int]:
    async with client_of(searched) as github:
        return [
            repository.database_id
            async for repository in search_repositories(
                github, query, installation_id=InstallationId(1), token="ghs_x", now=NOW
            )
        ]


def spread(count: int, *, over: timedelta = timedelta(days=3000)) -> dict[int, datetime]:
    return {number: NOW - (over * number) / max(count, 1) for number in range(count)}


@pytest.mark.parametrize("count", [0, 1, 99, 100, 101, 1000])
async def test_up_to_the_cap_one_search_gives_all(count: int) -> None:
    searched = Searched(spread(count))
    assert sorted(await found_in(searched)) == list(range(count))
    assert len(searched.requests) == max(1, -(-count // 100))


@pytest.mark.parametrize("count", [1001, 2500, 12_345])
async def test_beyond_the_cap_nothing_is_missing_and_nothing_doubled(count: int) -> None:
    searched = Searched(spread(count))
    found = await found_in(searched)
    assert len(found) == count
    assert set(found) == set(range(count))


async def test_many_repositories_of_one_hour_are_divided_to_the_second() -> None:
    searched = Searched({number: NOW - timedelta(seconds=number % 3600) for number in range(5000)})
    assert len(set(await found_in(searched))) == 5000


async def test_a_second_with_more_than_the_cap_is_an_error_and_no_truncation() -> None:
    searched = Searched(dict.fromkeys(range(1001), NOW - timedelta(days=1)))
    with pytest.raises(GitHubInvalid, match=r"same second.*`org` entry"):
        await found_in(searched)


async def test_a_search_that_divides_time_itself_says_how_many_matched_and_what_to_do() -> None:
    with pytest.raises(GitHubInvalid, match=r"matches 1001 repositories.*`created:`"):
        await found_in(Searched(spread(1001)), "org:acme created:>2020-01-01")


async def test_a_search_that_divides_time_itself_is_fine_below_the_cap() -> None:
    assert len(await found_in(Searched(spread(10)), "org:acme created:>2020-01-01")) == 10


async def test_fewer_than_counted_is_tried_again_and_no_truncation() -> None:
    with pytest.raises(GitHubUnavailable, match="gave 149 of the 150"):
        await found_in(Searched(spread(150), forgets=frozenset({120})))


async def test_what_is_created_meanwhile_does_not_disturb() -> None:
    created = {**spread(1500), 9999: NOW + timedelta(minutes=1)}
    assert set(await found_in(Searched(created))) == set(range(1500))


@given(
    first=st.datetimes(min_value=BEGINNING.replace(tzinfo=None), max_value=NOW.replace(tzinfo=None)),
    seconds=st.integers(1, 10**9),
)
def test_halves_have_no_gap_and_no_overlap(first: datetime, seconds: int) -> None:
    start = first.replace(tzinfo=UTC, microsecond=0)
    whole = Shard("q", start, start + timedelta(seconds=seconds))
    older, newer = whole.halves()
    assert older.first == whole.first
    assert newer.last == whole.last
    assert newer.first - older.last == timedelta(seconds=1)
    assert older.first <= older.last
    assert newer.first <= newer.last


def test_a_shard_is_a_search_of_whole_seconds() -> None:
    assert Shard("org:acme", BEGINNING, NOW).text == "org:acme created:2007-10-01T00:00:00Z..2026-03-01T12:00:00Z"
