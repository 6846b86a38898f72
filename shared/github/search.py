"""All repositories that a search finds, also where they are more than the 1,000 that GitHub gives for one search.

A search that finds more is divided by the time of creation, and its halves again, until each part finds no more than
1,000; GitHub's counts of the halves must add up to what was divided. Nothing is left out silently: where a search
cannot be divided or GitHub gives less than it counted, that is an error.

Sources: docs.github.com "About the search API" (1,000 results a search), "Understanding the search syntax" (dates).
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from ..domain.ids import InstallationId
from ..domain.repository import Repository
from ..errors import GitHubInvalid, GitHubUnavailable
from .client import GitHubClient
from .repositories import repository_of

CAP = 1000
"""Results that GitHub gives for one search, whatever it counts."""

BEGINNING = datetime(2007, 10, 1, tzinfo=UTC)
"""No repository of GitHub's is older."""

_CREATED = re.compile(r"(?:^|\s)-?created:", re.IGNORECASE)
_SECOND = timedelta(seconds=1)


@dataclass(frozen=True)
class Shard:
    """A part of a search: repositories created from `first` to `last`, both included, in whole seconds."""

    query: str
    first: datetime
    last: datetime

    @property
    def text(self) -> str:
        """The search as GitHub takes it."""
        return f"{self.query} created:{_moment(self.first)}..{_moment(self.last)}"

    def halves(self) -> tuple[Shard, Shard]:
        """The older and the newer half; raises `GitHubInvalid` where it is one second long."""
        if self.first >= self.last:
            raise GitHubInvalid(
                f"more than {CAP} repositories match {self.query!r} that were created in the same second, "
                f"{_moment(self.first)}: use an `org` entry, which has no such limit, or narrow the search"
            )
        seconds = int((self.last - self.first).total_seconds()) // 2
        middle = self.first + timedelta(seconds=seconds)
        return Shard(self.query, self.first, middle), Shard(self.query, middle + _SECOND, self.last)


@dataclass(frozen=True)
class _Page:
    total: int
    given: int  # with those that may not be seen, which come as null
    repositories: tuple[Repository, ...]
    following: str | None


async def search_repositories(
    github: GitHubClient, query: str, *, installation_id: InstallationId, token: str, now: datetime
) -> AsyncIterator[Repository]:
    """Every repository that the search finds, once.

    Raises `GitHubInvalid` where the search is beyond the cap and cannot be divided, `GitHubUnavailable` where GitHub
    gives fewer than it counted (another try then finds all).
    """
    seen: set[str] = set()
    first = await _page(github, query, after=None, installation_id=installation_id, token=token)
    if first.total <= CAP:
        parts = _rest_of(github, query, first, installation_id=installation_id, token=token)
    else:
        parts = _divided(github, query, first.total, installation_id=installation_id, token=token, now=now)
    async for repository in parts:
        if repository.node_id not in seen:
            seen.add(repository.node_id)
            yield repository


async def _divided(
    github: GitHubClient, query: str, total: int, *, installation_id: InstallationId, token: str, now: datetime
) -> AsyncIterator[Repository]:
    if _CREATED.search(query):
        raise GitHubInvalid(
            f"{query!r} matches {total} repositories, GitHub gives {CAP} for one search, and Octobatch cannot divide a "
            "search that has `created:` itself: leave that out, narrow the search, or use an `org` entry"
        )
    waiting = [(Shard(query, BEGINNING, now.replace(microsecond=0)), total)]
    while waiting:
        shard, count = waiting.pop()
        if count > CAP:
            waiting += reversed(await _counted_halves(github, shard, count, token=token))
        elif count:
            first = await _page(github, shard.text, after=None, installation_id=installation_id, token=token)
            async for repository in _rest_of(github, shard.text, first, installation_id=installation_id, token=token):
                yield repository


async def _counted_halves(github: GitHubClient, shard: Shard, count: int, *, token: str) -> list[tuple[Shard, int]]:
    older, newer = shard.halves()
    variables = {"older": older.text, "newer": newer.text}
    data = (await github.graphql("count_halves", variables, token=token)).complete()
    counts = data["older"]["repositoryCount"], data["newer"]["repositoryCount"]
    if sum(counts) < count and sum(counts) < await _count(github, shard, token=token):
        raise GitHubUnavailable(f"GitHub's counts of {shard.query!r} do not add up: {counts} of {count}")
    return [(older, counts[0]), (newer, counts[1])]


async def _count(github: GitHubClient, shard: Shard, *, token: str) -> int:
    """How many the shard finds now: some may have been deleted since it was counted."""
    variables = {"older": shard.text, "newer": shard.text}
    data = (await github.graphql("count_halves", variables, token=token)).complete()
    return data["older"]["repositoryCount"]


async def _rest_of(
    github: GitHubClient, query: str, page: _Page, *, installation_id: InstallationId, token: str
) -> AsyncIterator[Repository]:
    """The repositories of a first page and of those after it."""
    given = 0
    while True:
        if page.total > CAP:
            raise GitHubUnavailable(f"{query!r} finds more repositories than when it was counted")
        given += page.given
        for repository in page.repositories:
            yield repository
        if page.following is None:
            break
        page = await _page(github, query, after=page.following, installation_id=installation_id, token=token)
    if given < page.total:
        raise GitHubUnavailable(f"GitHub gave {given} of the {page.total} repositories that {query!r} matches")


async def _page(
    github: GitHubClient, query: str, *, after: str | None, installation_id: InstallationId, token: str
) -> _Page:
    variables = {"query": query, "after": after}
    data = (await github.graphql("search_repositories", variables, token=token)).complete()
    search = data["search"]
    info = search["pageInfo"]
    return _Page(
        total=search["repositoryCount"],
        given=len(search["nodes"]),
        repositories=tuple(repository_of(node, installation_id=installation_id) for node in search["nodes"] if node),
        following=info["endCursor"] if info["hasNextPage"] else None,
    )


def _moment(time: datetime) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ")
