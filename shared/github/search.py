"""Searches for repositories, also where they find more than the 1,000 that GitHub gives for one search.

A search that finds more is divided by the time of creation into slices; one request counts them all, and the whole
beside them, so that it shows whether they add up. Slices that still find too many are divided again, and neighbours
are joined as long as they find no more than 1,000 together: so there are few half-empty pages.

Sources: docs.github.com "About the search API" (1,000 results a search, 256 characters), "Understanding the search
syntax" (dates).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from ..domain.ids import InstallationId
from ..errors import GitHubInvalid, GitHubUnavailable
from .client import GitHubClient
from .graphql import RATE_LIMIT
from .paging import PageSize
from .repositories import RepositoryPage, page_of

CAP = 1000
"""Results that GitHub gives for one search, whatever it counts."""

LONGEST_QUERY = 256
"""Characters that GitHub takes."""

BEGINNING = datetime(2007, 10, 1, tzinfo=UTC)
"""No repository of GitHub's is older."""

MOST_SLICES = 20
"""Slices that are counted with one request, fewer where GitHub does not answer that in time."""

_SECOND = timedelta(seconds=1)


@dataclass(frozen=True)
class Slice:
    """A part of a search: repositories created from `first` to `last`, both included, in whole seconds."""

    query: str
    first: datetime
    last: datetime

    @property
    def text(self) -> str:
        """The search as GitHub takes it."""
        return f"{self.query} created:{_moment(self.first)}..{_moment(self.last)}"

    def divided(self, parts: int) -> list[Slice]:
        """At most `parts` slices of about the same length, oldest first.

        Raises `GitHubInvalid` where it is one second long.
        """
        seconds = int((self.last - self.first).total_seconds()) + 1
        if seconds < 2:
            raise GitHubInvalid(
                f"more than {CAP} repositories match {self.query!r} that were created in the same second, "
                f"{_moment(self.first)}: use an `org` entry, which has no such limit, or narrow the search"
            )
        count = min(parts, seconds)
        starts = [self.first + timedelta(seconds=seconds * index // count) for index in range(count)]
        ends = [start - _SECOND for start in starts[1:]] + [self.last]
        return [Slice(self.query, start, end) for start, end in zip(starts, ends, strict=True)]


async def page_of_search(
    github: GitHubClient, query: str, *, after: str | None, size: PageSize, installation_id: InstallationId, token: str
) -> RepositoryPage:
    """A page of what the search finds."""

    async def ask(first: int) -> RepositoryPage:
        variables = {"query": query, "first": first, "after": after}
        data = (await github.graphql("search_repositories", variables, token=token)).but_for_missing()
        return page_of(data["search"], installation_id=installation_id)

    return await size.ask(ask)


async def divide(github: GitHubClient, whole: Slice, *, total: int, token: str) -> list[tuple[Slice, int]]:
    """The parts of a search that finds `total`, more than the cap, with what each finds: none of them nothing.

    Neighbours are joined up to the cap; a part beyond it must be divided again. Raises `GitHubUnavailable` where
    GitHub's counts do not add up.
    """
    wanted = max(2, 4 * total // CAP)  # small enough that neighbours fill the cap well

    async def ask(most: int) -> tuple[list[Slice], list[int]]:
        parts = whole.divided(min(wanted, most))
        return parts, await count(github, [whole.text, *(part.text for part in parts)], token=token)

    parts, counts = await PageSize(largest=MOST_SLICES, smallest=2).ask(ask)
    if sum(counts[1:]) < counts[0]:
        raise GitHubUnavailable(f"GitHub's counts of {whole.query!r} do not add up: {counts[1:]} of {counts[0]}")
    return list(_joined(zip(parts, counts[1:], strict=True)))


async def count(github: GitHubClient, queries: Sequence[str], *, token: str) -> list[int]:
    """How many repositories each search finds."""
    document = count_document(len(queries))
    variables = {f"q{index}": query for index, query in enumerate(queries)}
    data = (await github.graphql(document, variables, token=token)).complete()
    return [data[f"s{index}"]["repositoryCount"] for index in range(len(queries))]


def count_document(searches: int) -> str:
    """One document that counts so many searches."""
    declarations = ", ".join(f"$q{index}: String!" for index in range(searches))
    fields = "\n  ".join(
        f"s{index}: search(type: REPOSITORY, query: $q{index}, first: 1) {{ repositoryCount }}"
        for index in range(searches)
    )
    return f"query CountSearches({declarations}) {{\n  {RATE_LIMIT}\n  {fields}\n}}\n"


def _joined(parts: Iterator[tuple[Slice, int]]) -> Iterator[tuple[Slice, int]]:
    pending: tuple[Slice, int] | None = None
    for part, found in parts:
        if not found:
            continue
        if pending and pending[1] + found <= CAP:
            pending = Slice(part.query, pending[0].first, part.last), pending[1] + found
            continue
        if pending:
            yield pending
        pending = part, found
    if pending:
        yield pending


def _moment(time: datetime) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ")
