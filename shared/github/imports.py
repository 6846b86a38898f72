"""Pull requests by repository and number: up to 100 in one request."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .client import GitHubClient
from .graphql import RATE_LIMIT, with_fragments
from .pull_requests import PullRequest, pull_request_from

MOST_AT_ONCE = 100


@dataclass(frozen=True, kw_only=True)
class FoundPullRequest:
    """A pull request, and where it is."""

    repository_node_id: str
    repository_id: int
    repository: str
    branch: str
    pull_request: PullRequest


async def fetch_by_numbers(
    github: GitHubClient, wanted: Sequence[tuple[str, int]], *, token: str
) -> list[FoundPullRequest | None]:
    """The pull requests (owner/name, number), in the same order; None where there is none that the App may see."""
    document, variables = by_numbers_query(wanted)
    data = (await github.graphql(document, variables, token=token)).but_for_missing_fields(depth=2)
    return [_found_from(data.get(f"p{number}")) for number in range(len(wanted))]


def by_numbers_query(wanted: Sequence[tuple[str, int]]) -> tuple[str, dict[str, Any]]:
    """The document that asks for all of them, and its variables."""
    variables: dict[str, Any] = {}
    for place, (repository, number) in enumerate(wanted):
        owner, _, name = repository.partition("/")
        variables |= {f"o{place}": owner, f"n{place}": name, f"x{place}": number}
    declared = ", ".join(f"$o{n}: String!, $n{n}: String!, $x{n}: Int!" for n in range(len(wanted)))
    fields = " ".join(
        f"p{n}: repository(owner: $o{n}, name: $n{n}) {{ id databaseId nameWithOwner"
        f" pullRequest(number: $x{n}) {{ headRefName ...PullRequestFields }} }}"
        for n in range(len(wanted))
    )
    return with_fragments(f"query PullRequestsByNumber({declared}) {{ {RATE_LIMIT} {fields} }}"), variables


def _found_from(node: Mapping[str, Any] | None) -> FoundPullRequest | None:
    if not node or not node["pullRequest"]:
        return None
    return FoundPullRequest(
        repository_node_id=node["id"],
        repository_id=node["databaseId"],
        repository=node["nameWithOwner"],
        branch=node["pullRequest"]["headRefName"],
        pull_request=pull_request_from(node["pullRequest"]),
    )
