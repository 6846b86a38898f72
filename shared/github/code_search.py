"""Searches for code, which GitHub answers by REST alone, also where they find more than 1,000 files.

One that finds more is divided by the size of the files. Sources: docs.github.com "REST API endpoints for search" (9 a
minute, 1,000 results, `incomplete_results`), "Searching code (legacy)" (files up to 384 KB, default branches).
"""

from __future__ import annotations

from dataclasses import dataclass

from ..errors import GitHubInvalid, GitHubUnavailable
from .client import GitHubClient
from .paging import LARGEST

LARGEST_FILE = 384 * 1024
"""Bytes; GitHub searches no larger files."""


@dataclass(frozen=True)
class CodeSlice:
    """A part of a search for code: files of `smallest` to `largest` bytes, both included."""

    query: str
    smallest: int = 0
    largest: int = LARGEST_FILE

    @property
    def text(self) -> str:
        """The search as GitHub takes it."""
        if (self.smallest, self.largest) == (0, LARGEST_FILE):
            return self.query
        return f"{self.query} size:{self.smallest}..{self.largest}"

    def halves(self) -> tuple[CodeSlice, CodeSlice]:
        """The smaller and the larger files; small files are many, so the middle is a geometric one.

        Raises `GitHubInvalid` where all are of one size.
        """
        if self.smallest >= self.largest:
            raise GitHubInvalid(
                f"more than 1000 files match {self.query!r} that have the same size, {self.smallest} bytes: "
                "narrow the search, or use an `org` entry with `where`, which has no such limit"
            )
        middle = int(((self.smallest + 1) * (self.largest + 1)) ** 0.5) - 1
        middle = min(max(middle, self.smallest), self.largest - 1)
        return CodeSlice(self.query, self.smallest, middle), CodeSlice(self.query, middle + 1, self.largest)


@dataclass(frozen=True, kw_only=True)
class CodePage:
    """The repositories (by node id, each once) of a page of files, the number of files, and of all that match."""

    node_ids: tuple[str, ...]
    given: int
    total: int


async def page_of_code(github: GitHubClient, query: str, *, page: int, token: str) -> CodePage:
    """A page, from 1, of the files that the search finds.

    Raises `GitHubUnavailable` where GitHub did not look everywhere (`incomplete_results`).
    """
    params = {"q": query, "per_page": LARGEST, "page": page}
    answer = await github.rest("GET", "/search/code", token=token, params=params)
    if answer["incomplete_results"]:
        raise GitHubUnavailable(f"GitHub did not look everywhere for {query!r} (incomplete_results): narrow the search")
    node_ids = dict.fromkeys(item["repository"]["node_id"] for item in answer["items"])
    return CodePage(node_ids=tuple(node_ids), given=len(answer["items"]), total=answer["total_count"])
