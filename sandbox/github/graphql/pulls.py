"""Pull requests, and the commits and files in them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from graphql import GraphQLResolveInfo

from ..git import comparing
from ..git.comparing import ChangedFile
from ..mergeability import base_tip, mergeable, size_of
from ..state import Account, Kind, Pull, Repository, encode
from ..views.pulls import mergeable_state
from . import checks
from .nodes import Commit, Ref, request
from .pages import Page, list_page
from .resolvers import Resolvers

_CHANGES = {"added": "ADDED", "removed": "DELETED", "modified": "MODIFIED", "renamed": "RENAMED", "copied": "COPIED"}
_MERGEABLE = {True: "MERGEABLE", False: "CONFLICTING", None: "UNKNOWN"}
_MERGE_STATES = {"clean": "CLEAN", "dirty": "DIRTY", "unstable": "UNSTABLE", "draft": "BLOCKED", "unknown": "UNKNOWN"}


@dataclass(frozen=True)
class CommitOf:
    """A commit as part of a pull request."""

    pull: Pull
    commit: Commit


def repository_of(pull: Pull, info: GraphQLResolveInfo) -> Repository:
    """The repository that the pull request is in."""
    return request(info).world.state.repositories.get(pull.repository_id)


def account(info: GraphQLResolveInfo, account_id: int | None) -> Account | None:
    """The account of that id."""
    return request(info).world.state.accounts.get(account_id) if account_id is not None else None


def _path(pull: Pull, info: GraphQLResolveInfo) -> str:
    return f"/{repository_of(pull, info).full_name}/pull/{pull.number}"


def url(pull: Pull, info: GraphQLResolveInfo) -> str:
    """The page of the pull request."""
    return f"{request(info).world.base_url}{_path(pull, info)}"


def _state(pull: Pull, _: GraphQLResolveInfo) -> str:
    return "MERGED" if pull.merged else pull.state.upper()


def _branch(info: GraphQLResolveInfo, repository: Repository, name: str) -> Ref | None:
    oid = request(info).world.git.branch(repository, name)
    return Ref(repository, f"refs/heads/{name}", oid) if oid else None


def _head_repository(pull: Pull, info: GraphQLResolveInfo) -> Repository:
    return request(info).world.state.repositories.get(pull.head_repository_id)


def _head_owner(pull: Pull, info: GraphQLResolveInfo) -> Account:
    return request(info).world.state.accounts.get(_head_repository(pull, info).owner_id)


def _commits(pull: Pull, info: GraphQLResolveInfo, **arguments: Any) -> Page[CommitOf]:
    repository = repository_of(pull, info)
    repo = request(info).world.git.open(repository)
    found = comparing.commits_between(repo, base_tip(request(info).world, pull), pull.head_sha)
    return list_page(info, arguments, [CommitOf(pull, Commit(repository, str(each.id))) for each in found])


def _files(pull: Pull, info: GraphQLResolveInfo, **arguments: Any) -> Page[ChangedFile]:
    repo = request(info).world.git.open(repository_of(pull, info))
    difference = comparing.diff(repo, base_tip(request(info).world, pull), pull.head_sha)
    return list_page(info, arguments, comparing.changed_files(difference))


def _merge_commit(pull: Pull, info: GraphQLResolveInfo) -> Commit | None:
    return Commit(repository_of(pull, info), pull.merge_commit_sha) if pull.merge_commit_sha else None


def _merge_state(pull: Pull, info: GraphQLResolveInfo) -> str:
    world = request(info).world
    return _MERGE_STATES[mergeable_state(world, pull, mergeable(world, pull))]


def _may_write(pull: Pull, info: GraphQLResolveInfo) -> bool:
    viewer = request(info).viewer
    return viewer.has(repository_of(pull, info)) and viewer.may("pull_requests", "write")


def _rollup(pull: Pull, info: GraphQLResolveInfo) -> checks.Rollup | None:
    return checks.rollup(Commit(repository_of(pull, info), pull.head_sha), info)


PULL_REQUEST: Resolvers = {
    "additions": lambda pull, info: size_of(request(info).world, pull).additions,
    "author": lambda pull, info: account(info, pull.author_id),
    "authorAssociation": lambda _, __: "CONTRIBUTOR",
    "autoMergeRequest": lambda pull, _: pull if pull.auto_merge else None,
    "baseRef": lambda pull, info: _branch(info, repository_of(pull, info), pull.base_ref),
    "baseRefName": lambda pull, _: pull.base_ref,
    "baseRefOid": lambda pull, _: pull.base_sha,
    "baseRepository": repository_of,
    "body": lambda pull, _: pull.body or "",
    "changedFiles": lambda pull, info: size_of(request(info).world, pull).changed_files,
    "closed": lambda pull, _: pull.state == "closed",
    "closedAt": lambda pull, _: pull.closed_at,
    "commits": _commits,
    "createdAt": lambda pull, _: pull.created_at,
    "deletions": lambda pull, info: size_of(request(info).world, pull).deletions,
    "files": _files,
    "fullDatabaseId": lambda pull, _: pull.id,
    "headRef": lambda pull, info: _branch(info, _head_repository(pull, info), pull.head_ref),
    "headRefName": lambda pull, _: pull.head_ref,
    "headRefOid": lambda pull, _: pull.head_sha,
    "headRepository": _head_repository,
    "headRepositoryOwner": _head_owner,
    "id": lambda pull, _: pull.node_id,
    "isCrossRepository": lambda pull, _: pull.head_repository_id != pull.repository_id,
    "isDraft": lambda pull, _: pull.draft,
    "isInMergeQueue": lambda _, __: False,
    "locked": lambda _, __: False,
    "maintainerCanModify": lambda pull, _: pull.maintainer_can_modify,
    "mergeCommit": _merge_commit,
    "mergeStateStatus": _merge_state,
    "mergeable": lambda pull, info: _MERGEABLE[mergeable(request(info).world, pull)],
    "merged": lambda pull, _: pull.merged,
    "mergedAt": lambda pull, _: pull.merged_at,
    "mergedBy": lambda pull, info: account(info, pull.merged_by_id),
    "number": lambda pull, _: pull.number,
    "permalink": url,
    "repository": repository_of,
    "resourcePath": _path,
    "reviewDecision": lambda _, __: None,  # null where no rule requires reviews, and the sandbox has no rules
    "state": _state,
    "statusCheckRollup": _rollup,
    "title": lambda pull, _: pull.title,
    "updatedAt": lambda pull, _: pull.updated_at,
    "url": url,
    "viewerCanClose": lambda pull, info: pull.state == "open" and _may_write(pull, info),
    "viewerCanLabel": _may_write,
    "viewerCanReopen": lambda pull, info: pull.state == "closed" and not pull.merged and _may_write(pull, info),
    "viewerCanUpdate": _may_write,
    "viewerDidAuthor": lambda pull, info: pull.author_id == request(info).viewer.account.id,
}
PULL_REQUEST_COMMIT: Resolvers = {
    "commit": lambda it, _: it.commit,
    "id": lambda it, _: encode(Kind.PULL_REQUEST_COMMIT, it.pull.id, it.commit.oid),
    "pullRequest": lambda it, _: it.pull,
    "resourcePath": lambda it, info: f"{_path(it.pull, info)}/commits/{it.commit.oid}",
    "url": lambda it, info: f"{url(it.pull, info)}/commits/{it.commit.oid}",
}
CHANGED_FILE: Resolvers = {
    "additions": lambda file, _: file.additions,
    "changeType": lambda file, _: _CHANGES.get(file.status, "CHANGED"),
    "deletions": lambda file, _: file.deletions,
    "path": lambda file, _: file.path,
}
AUTO_MERGE: Resolvers = {
    "authorEmail": lambda _, __: None,
    "commitBody": lambda pull, _: pull.auto_merge["message"],
    "commitHeadline": lambda pull, _: pull.auto_merge["title"],
    "enabledAt": lambda pull, _: pull.auto_merge["enabled_at"],
    "enabledBy": lambda pull, info: account(info, pull.auto_merge["enabled_by_id"]),
    "mergeMethod": lambda pull, _: pull.auto_merge["method"].upper(),
    "pullRequest": lambda pull, _: pull,
}
