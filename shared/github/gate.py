"""What stands between the client and GitHub: whoever keeps its limits across processes.

The client knows what a request costs; who counts it, and for which installation, is the gate's matter. What counts:

| request | resource | points | creates content |
| --- | --- | --- | --- |
| REST, reading | `core`, `search`, or `code_search` | 1 | no |
| REST, writing | `core` | 5 | pull requests, their reviews and reviewers, comments, issues |
| GraphQL query | `graphql` | 1 | no |
| GraphQL mutation | `graphql` | 5 | the same, each one in the document |

Source: docs.github.com "Rate limits for the REST API", "Rate limits and query limits for the GraphQL API".
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import urlsplit

from ..errors import GitHubLimited
from .graphql import RateLimit

_WRITE_POINTS = 5
_MUTATION = re.compile(r"\s*(?:#[^\n]*\n\s*)*mutation\b")
_CREATING_MUTATION = re.compile(r"\b(?:createPullRequest|createIssue|addComment|requestReviews)\s*\(")
_CREATING_PATH = re.compile(r"/(?:pulls|issues|comments|reviews|requested_reviewers)/?$")


@dataclass(frozen=True, kw_only=True)
class Cost:
    """What one request counts for."""

    resource: str  # core | search | code_search | graphql: the primary limit that it is of
    is_write: bool
    creates: int = 0

    @property
    def points(self) -> int:
        """Of the secondary limit of points a minute."""
        return _WRITE_POINTS if self.is_write else 1


class Gate(Protocol):
    """Lets requests pass, and hears what GitHub said to them."""

    def passing(self, token: str, cost: Cost) -> AbstractAsyncContextManager[None]:
        """Holds a place for one request; raises `GitHubLimited` where it must wait, and then nothing was counted."""
        ...

    async def heard(self, token: str, cost: Cost, headers: Mapping[str, str], limit: GitHubLimited | None) -> None:
        """An answer's headers, and the limit that it spoke of."""
        ...

    async def priced(self, token: str, rate: RateLimit, *, seconds_to_reset: float) -> None:
        """What a GraphQL query was said to cost, and what is left until the reset, by GitHub's own clock."""
        ...


class OpenGate:
    """Lets everything pass."""

    def passing(self, token: str, cost: Cost) -> AbstractAsyncContextManager[None]:  # noqa: ARG002
        return nullcontext()

    async def heard(self, token: str, cost: Cost, headers: Mapping[str, str], limit: GitHubLimited | None) -> None:
        """Nothing is kept."""

    async def priced(self, token: str, rate: RateLimit, *, seconds_to_reset: float) -> None:
        """Nothing is kept."""


def rest_cost(method: str, url: str) -> Cost:
    """What a REST request counts for."""
    path = urlsplit(url).path
    is_write = method not in {"GET", "HEAD"}
    creates = int(method == "POST" and bool(_CREATING_PATH.search(path)))
    return Cost(resource=_resource(path), is_write=is_write, creates=creates)


def _resource(path: str) -> str:
    if "/search/" not in path:
        return "core"
    return "code_search" if path.endswith("/search/code") else "search"


def graphql_cost(document: str) -> Cost:
    """What a GraphQL document counts for."""
    is_write = bool(_MUTATION.match(document))
    creates = len(_CREATING_MUTATION.findall(document)) if is_write else 0
    return Cost(resource="graphql", is_write=is_write, creates=creates)
