"""Repositories, their topics, languages and licences."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from graphql import GraphQLResolveInfo

from ..git import objects
from ..state import Kind, Label, Pull, Repository, encode
from . import pull_listing, refs
from .errors import no_such
from .nodes import GitObject, Ref, git_object, request, require
from .pages import Page, list_page
from .resolvers import Resolvers
from .rules import rulesets_of


@dataclass(frozen=True)
class TopicOf:
    """A topic of a repository."""

    repository: Repository
    name: str


def url(info: GraphQLResolveInfo, repository: Repository) -> str:
    """The page of a repository."""
    return f"{request(info).world.base_url}/{repository.full_name}"


def _object(
    repository: Repository, info: GraphQLResolveInfo, *, expression: str | None = None, oid: str | None = None
) -> GitObject | None:
    require(info, repository, "contents")
    world = request(info).world
    wanted = oid or expression
    if not wanted or _is_absent(info, repository, wanted):
        return None
    found = objects.at(world.git.open(repository), wanted)
    if found is None:
        return None
    return git_object(repository, found, wanted.partition(":")[2] if ":" in wanted else None)


def _is_absent(info: GraphQLResolveInfo, repository: Repository, wanted: str) -> bool:
    """Whether an untouched repository cannot have it: only its README is there, so it need not be made to look."""
    revision, colon, path = wanted.partition(":")
    untouched = not request(info).world.git.exists(repository)
    known = revision in {"HEAD", repository.default_branch, f"refs/heads/{repository.default_branch}"}
    return untouched and known and bool(colon) and path not in {"", "README.md"}


def _default_branch(repository: Repository, info: GraphQLResolveInfo) -> Ref | None:
    require(info, repository, "contents")
    oid = request(info).world.git.branch(repository, repository.default_branch)
    return Ref(repository, f"refs/heads/{repository.default_branch}", oid) if oid else None


def _languages(repository: Repository, info: GraphQLResolveInfo, **arguments: Any) -> Page[str]:
    languages = [repository.language] if repository.language else []
    size = repository.size_kb * 1024
    return list_page(info, arguments, languages, totalSize=size if languages else 0, size=size)


def _topics(repository: Repository, info: GraphQLResolveInfo, **arguments: Any) -> Page[TopicOf]:
    return list_page(info, arguments, [TopicOf(repository, name) for name in repository.topics])


def _permission(repository: Repository, info: GraphQLResolveInfo) -> str:
    viewer = request(info).viewer
    if not viewer.has(repository):
        return "READ"
    if viewer.may("administration", "write"):
        return "ADMIN"
    return "WRITE" if viewer.may("contents", "write") else "READ"


def _pull(repository: Repository, info: GraphQLResolveInfo, *, number: int) -> Pull:
    require(info, repository, "pull_requests")
    found = request(info).world.state.pulls.by_number(repository.id, number)
    if found is None:
        raise no_such("a PullRequest", f"the number of {number}")
    return found


def _label(repository: Repository, info: GraphQLResolveInfo, *, name: str) -> Label | None:
    return request(info).world.state.pulls.label_by_name(repository.id, name)


def _labels(
    repository: Repository,
    info: GraphQLResolveInfo,
    *,
    order_by: dict[str, str] | None = None,
    query: str | None = None,
    **arguments: Any,
) -> Page[Label]:
    labels = request(info).world.state.pulls.repository_labels(repository.id)
    if query:
        labels = [each for each in labels if query.lower() in f"{each.name} {each.description or ''}".lower()]
    return list_page(info, arguments, pull_listing.ordered_labels(labels, order_by))


def _parent(repository: Repository, info: GraphQLResolveInfo) -> Repository | None:
    if repository.parent_id is None:
        return None
    parent = request(info).world.state.repositories.get(repository.parent_id)
    return parent if request(info).viewer.sees(parent) else None


def _ssh_url(repository: Repository, info: GraphQLResolveInfo) -> str:
    host = request(info).world.base_url.partition("://")[2].partition(":")[0]
    return f"git@{host}:{repository.full_name}.git"


REPOSITORY: Resolvers = {
    "autoMergeAllowed": lambda repository, _: repository.allow_auto_merge,
    "createdAt": lambda repository, _: repository.created_at,
    "databaseId": lambda repository, _: repository.id,
    "defaultBranchRef": _default_branch,
    "deleteBranchOnMerge": lambda repository, _: repository.delete_branch_on_merge,
    "description": lambda repository, _: repository.description,
    "diskUsage": lambda repository, _: repository.size_kb,
    "homepageUrl": lambda repository, _: repository.homepage,
    "id": lambda repository, _: repository.node_id,
    "isArchived": lambda repository, _: repository.archived,
    "isDisabled": lambda _, __: False,
    "isEmpty": lambda repository, _: repository.empty,
    "isFork": lambda repository, _: repository.fork,
    "isInOrganization": lambda repository, _: repository.owner_type == "Organization",
    "isLocked": lambda _, __: False,
    "isPrivate": lambda repository, _: repository.private,
    "isTemplate": lambda repository, _: repository.is_template,
    "label": _label,
    "labels": _labels,
    "languages": _languages,
    "licenseInfo": lambda repository, _: repository.license,
    "mergeCommitAllowed": lambda repository, _: repository.allow_merge_commit,
    "name": lambda repository, _: repository.name,
    "nameWithOwner": lambda repository, _: repository.full_name,
    "object": _object,
    "owner": lambda repository, info: request(info).world.state.accounts.get(repository.owner_id),
    "parent": _parent,
    "primaryLanguage": lambda repository, _: repository.language,
    "pullRequest": _pull,
    "pullRequests": pull_listing.of_repository,
    "pushedAt": lambda repository, _: repository.pushed_at,
    "rebaseMergeAllowed": lambda repository, _: repository.allow_rebase_merge,
    "ref": refs.ref_of,
    "refs": refs.refs_of,
    "repositoryTopics": _topics,
    "resourcePath": lambda repository, _: f"/{repository.full_name}",
    "rulesets": rulesets_of,
    "squashMergeAllowed": lambda repository, _: repository.allow_squash_merge,
    "sshUrl": _ssh_url,
    "stargazerCount": lambda repository, _: repository.stars,
    "updatedAt": lambda repository, _: repository.updated_at,
    "url": lambda repository, info: url(info, repository),
    "viewerCanAdminister": lambda repository, info: _permission(repository, info) == "ADMIN",
    "viewerPermission": _permission,
    "visibility": lambda repository, _: repository.visibility.upper(),
}
REPOSITORY_TOPIC: Resolvers = {
    "id": lambda topic, _: encode(Kind.REPOSITORY_TOPIC, topic.repository.id, topic.name),
    "resourcePath": lambda topic, _: f"/topics/{topic.name}",
    "topic": lambda topic, _: topic.name,
    "url": lambda topic, info: f"{request(info).world.base_url}/topics/{topic.name}",
}
TOPIC: Resolvers = {"id": lambda name, _: encode(Kind.TOPIC, name), "name": lambda name, _: name}
LANGUAGE: Resolvers = {
    "color": lambda _, __: None,
    "id": lambda name, _: encode(Kind.LANGUAGE, name),
    "name": lambda name, _: name,
}
LICENSE: Resolvers = {
    "id": lambda spdx, _: encode(Kind.LICENSE, spdx),
    "key": lambda spdx, _: spdx.lower(),
    "name": lambda spdx, _: spdx,
    "spdxId": lambda spdx, _: spdx,
}
