"""Repositories on GitHub: listed by owner, asked for by name, and what is needed to leave some out."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any

from ..domain.ids import InstallationId
from ..domain.repository import Repository, Visibility
from ..errors import GitHubNotFound
from .client import GitHubClient
from .graphql import GraphQLError

NAMES_A_REQUEST = 50
NODES_A_REQUEST = 100
"""GitHub takes no more ids in one `nodes(ids:)`."""


@dataclass(frozen=True, kw_only=True)
class NamedRepository:
    """A repository that was asked for by name, with the heads of the branches that were asked for and exist."""

    repository: Repository
    heads: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class WantedRepository:
    """A repository by name (owner/name), and branches of it; the default branch comes without asking."""

    name_with_owner: str
    branches: tuple[str, ...] = ()


async def list_repositories(
    github: GitHubClient, owner: str, *, installation_id: InstallationId, token: str
) -> AsyncIterator[Repository]:
    """All repositories of an organisation or user, oldest first, a hundred a request.

    Raises `GitHubNotFound` where there is no such owner.
    """
    after: str | None = None
    while True:
        variables = {"owner": owner, "after": after}
        data = (await github.graphql("list_repositories", variables, token=token)).complete()
        if data["repositoryOwner"] is None:
            raise GitHubNotFound(f"there is no organisation or user {owner}")
        page = data["repositoryOwner"]["repositories"]
        for node in page["nodes"]:
            if node:
                yield repository_of(node, installation_id=installation_id)
        if not page["pageInfo"]["hasNextPage"]:
            return
        after = page["pageInfo"]["endCursor"]


async def fetch_by_name(
    github: GitHubClient, wanted: Sequence[WantedRepository], *, installation_id: InstallationId, token: str
) -> list[NamedRepository | None]:
    """The repositories in the order they are wanted, None for those that do not exist or may not be seen.

    A repository that was renamed is found by its old name.
    """
    found: list[NamedRepository | None] = []
    remaining = iter(wanted)
    while batch := list(islice(remaining, NAMES_A_REQUEST)):
        document, variables = by_name_document(batch)
        answer = await github.graphql(document, variables, token=token)
        for error in answer.errors:
            if not _is_missing(error):
                raise error.as_exception()
        for index, each in enumerate(batch):
            node = answer.data.get(f"r{index}")
            found.append(_named(node, each, installation_id=installation_id) if node else None)
    return found


def by_name_document(wanted: Sequence[WantedRepository]) -> tuple[str, dict[str, str]]:
    """One document that asks for all of these repositories and branches, and its variables."""
    variables: dict[str, str] = {}
    fields: list[str] = []
    for index, each in enumerate(wanted):
        variables[f"o{index}"], _, variables[f"n{index}"] = each.name_with_owner.partition("/")
        refs: list[str] = []
        for number, branch in enumerate(each.branches):
            variables[f"b{index}_{number}"] = f"refs/heads/{branch}"
            refs.append(f"b{number}: ref(qualifiedName: $b{index}_{number}) {{ target {{ oid }} }}")
        fields.append(
            f"r{index}: repository(owner: $o{index}, name: $n{index}) {{ ...RepositoryFields {' '.join(refs)} }}"
        )
    declarations = ", ".join(f"${name}: String!" for name in variables)
    body = "\n  ".join(fields)
    return f"query RepositoriesByName({declarations}) {{\n  {body}\n}}\n\n{_FIELDS}", variables


async def with_file(github: GitHubClient, node_ids: Sequence[str], *, path: str, token: str) -> frozenset[str]:
    """The node ids of those repositories that have the file at the head of their default branch."""
    having: set[str] = set()
    remaining = iter(node_ids)
    while batch := list(islice(remaining, NODES_A_REQUEST)):
        variables = {"ids": batch, "expression": f"HEAD:{path}"}
        answer = await github.graphql("files_present", variables, token=token)
        for error in answer.errors:
            if not _is_missing(error):
                raise error.as_exception()
        having.update(node["id"] for node in answer.data["nodes"] if node and node.get("object"))
    return frozenset(having)


async def accessible_ids(github: GitHubClient, *, token: str) -> frozenset[int]:
    """The database ids of all repositories that the token's installation was given: it may see public ones besides."""
    found: set[int] = set()
    async for page in github.rest_pages("/installation/repositories", token=token):
        found.update(repository["id"] for repository in page["repositories"])
    return frozenset(found)


def repository_of(node: Mapping[str, Any], *, installation_id: InstallationId) -> Repository:
    """A repository from the fields that every document here asks for."""
    default = node["defaultBranchRef"]
    return Repository(
        node_id=node["id"],
        database_id=node["databaseId"],
        name_with_owner=node["nameWithOwner"],
        default_branch=default["name"] if default else None,
        head_oid=default["target"]["oid"] if default else None,
        installation_id=installation_id,
        is_archived=node["isArchived"],
        is_fork=node["isFork"],
        visibility=Visibility(node["visibility"].lower()),
        is_template=node["isTemplate"],
        language=node["primaryLanguage"]["name"] if node["primaryLanguage"] else None,
        topics=_topics(node),
        created_at=_moment(node["createdAt"]),
        pushed_at=_moment(node["pushedAt"]),
    )


def _topics(node: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(each["topic"]["name"] for each in node["repositoryTopics"]["nodes"] if each)


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _named(node: Mapping[str, Any], wanted: WantedRepository, *, installation_id: InstallationId) -> NamedRepository:
    refs = {branch: node.get(f"b{number}") for number, branch in enumerate(wanted.branches)}
    heads = {branch: ref["target"]["oid"] for branch, ref in refs.items() if ref and ref["target"]}
    return NamedRepository(repository=repository_of(node, installation_id=installation_id), heads=heads)


def _is_missing(error: GraphQLError) -> bool:
    return error.type == "NOT_FOUND"


_FIELDS = """fragment RepositoryFields on Repository {
  id
  databaseId
  nameWithOwner
  isArchived
  isFork
  visibility
  isTemplate
  createdAt
  pushedAt
  primaryLanguage { name }
  repositoryTopics(first: 20) { nodes { topic { name } } }
  defaultBranchRef { name target { oid } }
}
"""
