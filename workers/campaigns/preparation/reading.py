"""What steps read of GitHub: that of many targets in one request, where they ask at about the same time.

reader = Reader(ctx.github, token)
base = await reader.base(target)
contents = await reader.contents(Wanted(…))
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import TypeVar

from shared.domain.target import Target
from shared.errors import GitHubError, GitHubForbidden, GitHubInvalid, GitHubNotFound
from shared.github.branches import Base, fetch_bases
from shared.github.client import GitHubClient
from shared.github.contents import MAX_OBJECTS_PER_REQUEST, Contents, Wanted, fetch_contents
from shared.github.paging import PageSize

from ...batching import Batcher

T = TypeVar("T")
R = TypeVar("R")


class Reader:
    """Reads with one token, for one target or for all of a batch."""

    def __init__(self, github: GitHubClient, token: str) -> None:
        self.token = token
        self._github = github
        self._bases = Batcher(self._fetch_bases)
        self._contents = Batcher(self._fetch_contents)
        self._size = PageSize(largest=MAX_OBJECTS_PER_REQUEST)

    async def base(self, target: Target) -> Base:
        """The target's repository and base branch as they are now; raises `GitHubNotFound`, and GitHub's errors."""
        base = await self._bases((target.repository_node_id, target.base_branch))
        if isinstance(base, GitHubError):
            raise base
        if base is None:
            raise GitHubNotFound(f"there is no repository {target.repository}, or the App may not see it")
        return base

    async def bases(self, targets: Sequence[Target]) -> Sequence[Base | GitHubError | None]:
        """Those of many targets in the same order: None where GitHub shows no repository, the error that it refuses."""
        return await self._fetch_bases([(target.repository_node_id, target.base_branch) for target in targets])

    async def contents(self, wanted: Wanted) -> Contents:
        """Files and folders of one commit; raises `GitHubNotFound`, and GitHub's errors."""
        found = await self._contents(wanted)
        if isinstance(found, GitHubError):
            raise found
        return found

    async def _fetch_bases(self, wanted: Sequence[tuple[str, str]]) -> Sequence[Base | GitHubError | None]:
        return await _one_by_one_if_refused(partial(fetch_bases, self._github, token=self.token), wanted)

    async def _fetch_contents(self, wanted: Sequence[Wanted]) -> Sequence[Contents | GitHubError]:
        fetch = partial(fetch_contents, self._github, token=self.token, size=self._size)
        return await _one_by_one_if_refused(fetch, wanted)


async def _one_by_one_if_refused(
    fetch: Callable[[Sequence[T]], Awaitable[Sequence[R]]], wanted: Sequence[T]
) -> list[R | GitHubError]:
    """What is fetched of all at once; where GitHub refuses that, of each alone, or the error with which it refuses one.

    So what is wrong with one target fails no other of its batch.
    """
    try:
        return list(await fetch(wanted))
    except (GitHubForbidden, GitHubInvalid, GitHubNotFound) as error:
        if len(wanted) == 1:
            return [error]
    return [found for each in wanted for found in await _one_by_one_if_refused(fetch, [each])]
