"""Repositories on GitHub: the listings of owners, teams and installations, and those asked for by name or by id."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import Any

from ..domain.ids import InstallationId
from ..domain.repository import Repository, Visibility
from ..errors import GitHubNotFound
from .client import GitHubClient
from .graphql import RATE_LIMIT, GraphQLError, with_fragments
from .paging import LARGEST, PageSize

NAMES_A_REQUEST = 50

_WORTH = 4
"""What changed may cost a quarter of a listing, before a listing is asked for instead."""


@dataclass(frozen=True, kw_only=True)
class RepositoryPage:
    """A page of a listing. `total` is what GitHub counts of all pages; `after` leads to the next, None at the end.

    `given` counts what the page held, with those that may not be seen, which come as null.
    """

    repositories: tuple[Repository, ...]
    given: int
    total: int
    after: str | None


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


async def page_of_owner(
    github: GitHubClient, owner: str, *, after: str | None, size: PageSize, installation_id: InstallationId, token: str
) -> RepositoryPage:
    """A page of the repositories of an organisation or user, oldest first, so that new ones move no page.

    Raises `GitHubNotFound` where there is no such owner.
    """

    async def ask(first: int) -> RepositoryPage:
        variables = {"owner": owner, "first": first, "after": after}
        data = (await github.graphql("list_repositories", variables, token=token)).but_for_missing()
        if data["repositoryOwner"] is None:
            raise GitHubNotFound(f"there is no organisation or user {owner}")
        return page_of(data["repositoryOwner"]["repositories"], installation_id=installation_id)

    return await size.ask(ask)


async def page_of_team(
    github: GitHubClient, team: str, *, after: str | None, size: PageSize, installation_id: InstallationId, token: str
) -> RepositoryPage:
    """A page of the repositories that a team (organisation/slug) has access to, by name.

    Raises `GitHubNotFound` where there is no such team, or the token may not see it (`members: read`).
    """
    organization, _, slug = team.partition("/")

    async def ask(first: int) -> RepositoryPage:
        variables = {"organization": organization, "team": slug, "first": first, "after": after}
        data = (await github.graphql("list_team_repositories", variables, token=token)).but_for_missing()
        if data["organization"] is None:
            raise GitHubNotFound(f"there is no organisation {organization}")
        if data["organization"]["team"] is None:
            raise GitHubNotFound(f"{organization} has no team {slug}, or the App may not see it (members: read)")
        return page_of(data["organization"]["team"]["repositories"], installation_id=installation_id)

    return await size.ask(ask)


async def changed_since(
    github: GitHubClient, owner: str, since: datetime, *, installation_id: InstallationId, token: str
) -> tuple[list[Repository], int] | None:
    """The repositories of an owner that were changed or pushed to since then, and how many it has in all.

    GitHub is asked for the newest, and for older ones only while they are new enough. Gone ones it does not tell.
    None where so many changed that a listing is the better question. Raises `GitHubNotFound` where there is no such
    owner.
    """
    found: dict[str, Repository] = {}
    total, after, size = 0, {"updated": None, "pushed": None}, PageSize()
    wanted, pages = {"updated", "pushed"}, 0
    while wanted:
        if pages > 1 + total // LARGEST // _WORTH:
            return None
        pages += 1
        variables = {
            "owner": owner, "afterUpdate": after["updated"], "afterPush": after["pushed"],
            "withUpdated": "updated" in wanted, "withPushed": "pushed" in wanted,
        }  # fmt: skip

        async def ask(first: int, variables: Mapping[str, Any] = variables) -> dict[str, Any]:
            answer = await github.graphql("changed_repositories", {**variables, "first": first}, token=token)
            return answer.but_for_missing()

        data = await size.ask(ask)
        if data["repositoryOwner"] is None:
            raise GitHubNotFound(f"there is no organisation or user {owner}")
        for order in sorted(wanted):
            connection = data["repositoryOwner"][order]
            newer = [node for node in connection["nodes"] if node and _changed_at(node, order) >= since]
            found |= {node["id"]: repository_of(node, installation_id=installation_id) for node in newer}
            total, after[order] = connection["totalCount"], connection["pageInfo"]["endCursor"]
            if len(newer) < len(connection["nodes"]) or not connection["pageInfo"]["hasNextPage"]:
                wanted.discard(order)
    return list(found.values()), total


def _changed_at(node: Mapping[str, Any], order: str) -> datetime:
    """When it was changed or pushed to; a repository that was never pushed to comes last."""
    text = node["updatedAt" if order == "updated" else "pushedAt"]
    return datetime.fromisoformat(text) if text else datetime.min.replace(tzinfo=UTC)


def page_of(connection: Mapping[str, Any], *, installation_id: InstallationId) -> RepositoryPage:
    """A page from a connection of repositories, or of a search for them."""
    nodes: list[dict[str, Any] | None] = connection["nodes"] or []
    info = connection["pageInfo"]
    return RepositoryPage(
        repositories=tuple(repository_of(node, installation_id=installation_id) for node in nodes if node),
        given=len(nodes),
        total=connection["totalCount"],
        after=info["endCursor"] if info["hasNextPage"] else None,
    )


async def fetch_by_ids(
    github: GitHubClient, node_ids: Sequence[str], *, installation_id: InstallationId, token: str
) -> dict[str, Repository]:
    """The repositories of those node ids, whatever they are called now; without those that are gone."""
    found: dict[str, Repository] = {}

    async def ask(batch: Sequence[str]) -> None:
        data = (await github.graphql("repositories_by_id", {"ids": list(batch)}, token=token)).but_for_missing()
        for wanted, node in zip(batch, data["nodes"], strict=True):
            if node and "databaseId" in node:
                found[wanted] = repository_of(node, installation_id=installation_id)

    await PageSize().ask_for_all(node_ids, ask)
    return found


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
    return with_fragments(f"query RepositoriesByName({declarations}) {{\n  {RATE_LIMIT}\n  {body}\n}}\n"), variables


async def accessible_ids(github: GitHubClient, *, token: str) -> frozenset[int]:
    """The database ids of all repositories that the token's installation was given: it may see public ones besides."""
    found: set[int] = set()
    async for page in github.rest_pages("/installation/repositories", token=token):
        found.update(repository["id"] for repository in page["repositories"])
    return frozenset(found)


async def given_node_ids(github: GitHubClient, *, page: int, token: str) -> tuple[list[str], int]:
    """The node ids of one page (from 1, a hundred each) of the repositories that the installation was given, and how
    many it was given in all."""
    params = {"per_page": LARGEST, "page": page}
    answer = await github.rest("GET", "/installation/repositories", params=params, token=token)
    return [repository["node_id"] for repository in answer["repositories"]], answer["total_count"]


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
