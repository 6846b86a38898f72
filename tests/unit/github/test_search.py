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
from itertools import pairwise
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.ids import InstallationId
from shared.errors import GitHubInvalid, GitHubUnavailable
from shared.github.client import GitHubClient
from shared.github.paging import PageSize
from shared.github.search import BEGINNING, CAP, Slice, divide, page_of_search

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
TIMED_OUT = httpx.Response(
    200,
    json={
        "data": None,
        "errors": [{"message": "Something went wrong while executing your query. This may be a timeout"}],
    },
)
RANGE = re.compile(r"created:(\S+)\.\.(\S+)")


@dataclass
class Searched:
    """Repositories by number, each with the time it was created at."""

    created: dict[int, datetime]
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
        if "CountSearches" in sent["query"]:
            counts = {
                f"s{name[1:]}": {"repositoryCount": len(self.matching(query))} for name, query in variables.items()
            }
            return httpx.Response(200, json={"data": counts})
        matching = self.matching(variables["query"])
        start = int(variables["after"] or 0)
        nodes = [node(number) for number in matching[:CAP][start : start + variables["first"]]]
        following = start + 100 if start + 100 < min(len(matching), CAP) else None
        info = {"hasNextPage": following is not None, "endCursor": following and str(following)}
        found = {"totalCount": len(matching), "pageInfo": info, "nodes": nodes}
        return httpx.Response(200, json={"data": {"search": found}})


class Forgetful(Searched):
    """Finds everything, but nothing in any part."""

    def matching(self, query: str) -> list[int]:
        whole = Slice("org:acme", BEGINNING, NOW).text
        return list(self.created) if query == whole else []


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


async def parts_of(searched: Searched, total: int) -> list[tuple[Slice, int]]:
    """The search of all time, divided until no part is beyond the cap."""
    waiting, parts = [(Slice("org:acme", BEGINNING, NOW), total)], []
    async with client_of(searched) as github:
        while waiting:
            part, found = waiting.pop(0)
            if found > CAP:
                waiting = await divide(github, part, total=found, token="ghs_x") + waiting
            else:
                parts.append((part, found))
    return parts


def spread(count: int, *, over: timedelta = timedelta(days=3000)) -> dict[int, datetime]:
    return {number: NOW - (over * number) / max(count, 1) for number in range(count)}


@pytest.mark.parametrize("count", [1001, 2500, 25_000])
async def test_a_divided_search_has_full_parts_that_hold_everything_once(count: int) -> None:
    searched = Searched(spread(count))
    parts = await parts_of(searched, count)
    found = [number for part, _ in parts for number in searched.matching(part.text)]
    assert sorted(found) == list(range(count))
    pages = sum(-(-each // 100) for _, each in parts)
    assert pages + len(searched.requests) + 1 <= 1.3 * -(-count // 100)


async def test_many_repositories_of_one_hour_are_divided_to_the_second() -> None:
    searched = Searched({number: NOW - timedelta(seconds=number % 3600) for number in range(5000)})
    assert sum(found for _, found in await parts_of(searched, 5000)) == 5000


async def test_a_second_with_more_than_the_cap_is_an_error_and_no_truncation() -> None:
    searched = Searched(dict.fromkeys(range(1001), NOW - timedelta(days=1)))
    with pytest.raises(GitHubInvalid, match=r"same second.*`org` entry"):
        await parts_of(searched, 1001)


async def test_counts_that_do_not_add_up_are_an_error() -> None:
    searched = Forgetful(spread(1001))
    with pytest.raises(GitHubUnavailable, match="do not add up"):
        await parts_of(searched, 1001)


@given(
    first=st.datetimes(min_value=BEGINNING.replace(tzinfo=None), max_value=NOW.replace(tzinfo=None)),
    seconds=st.integers(1, 10**9),
    parts=st.integers(2, 10),
)
def test_slices_have_no_gap_and_no_overlap(first: datetime, seconds: int, parts: int) -> None:
    start = first.replace(tzinfo=UTC, microsecond=0)
    whole = Slice("q", start, start + timedelta(seconds=seconds))
    slices = whole.divided(parts)
    assert (slices[0].first, slices[-1].last) == (whole.first, whole.last)
    assert all(each.first <= each.last for each in slices)
    assert all(after.first - before.last == timedelta(seconds=1) for before, after in pairwise(slices))


def test_a_slice_is_a_search_of_whole_seconds() -> None:
    assert Slice("org:acme", BEGINNING, NOW).text == "org:acme created:2007-10-01T00:00:00Z..2026-03-01T12:00:00Z"


@pytest.mark.parametrize("fault", [httpx.Response(502, text="x"), httpx.Response(504, text="x"), TIMED_OUT])
async def test_a_page_that_takes_too_long_is_asked_for_less(fault: httpx.Response) -> None:
    asked: list[int] = []

    def answer(request: httpx.Request) -> httpx.Response:
        variables = json.loads(request.content)["variables"]
        asked.append(variables["first"])
        return fault if variables["first"] > 25 else Searched(spread(300))(request)

    async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as http:
        github, size = GitHubClient(http, "https://api.github.com"), PageSize()
        for _ in range(11):
            page = await page_of_search(
                github, "org:acme", after=None, size=size, installation_id=InstallationId(1), token="ghs_x"
            )
            assert len(page.repositories) == 25
    assert asked == [100, 50, *[25] * 10, 50, 25]
