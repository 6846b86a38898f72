"""Branches on GitHub: compare with the base, move to a new commit. Decides nothing."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..domain.change import PreparedChange
from ..errors import GitHubNotFound
from .client import GitHubClient
from .graphql import RATE_LIMIT
from .paging import PageSize

NOWHERE = "0" * 40
"""The oid that stands for no commit when a branch is deleted."""


@dataclass(frozen=True, kw_only=True)
class BranchCommit:
    """A commit that a branch has and its base has not."""

    oid: str
    message: str
    author_name: str
    author_email: str
    committer_email: str


@dataclass(frozen=True, kw_only=True)
class Base:
    """Where a base branch stands: `oid` is None where there is none. `repository` is its name as it is now."""

    repository: str
    is_archived: bool
    oid: str | None


async def commits_ahead(
    github: GitHubClient, *, repository_node_id: str, base_branch: str, branch: str, token: str
) -> tuple[int, list[BranchCommit]]:
    """How many commits `branch` has that its base has not, and the last 100 of them, oldest first."""
    variables = {"repository": repository_node_id, "qualifiedBase": f"refs/heads/{base_branch}", "branch": branch}
    answer = (await github.graphql("compare_branch", variables, token=token)).complete()
    base = repository_node(answer, repository_node_id)["ref"]
    if base is None or base["compare"] is None:
        raise GitHubNotFound(f"{base_branch} and {branch} cannot be compared")
    commits = base["compare"]["commits"]
    return commits["totalCount"], [commit_from(node) for node in commits["nodes"]]


async def replace_branch(
    github: GitHubClient,
    change: PreparedChange,
    *,
    repository: str,
    repository_node_id: str,
    branch: str,
    expected_oid: str,
    staging_branch: str,
    message: str,
    token: str,
) -> str:
    """Moves `branch`, which must stand at `expected_oid`, to a signed commit of the change; the commit's oid.

    The commit is made on `staging_branch`, which is there only meanwhile: two requests.
    """
    staged = {"name": f"refs/heads/{staging_branch}", "afterOid": change.base_oid, "force": True}
    variables = {
        "refs": {"repositoryId": repository_node_id, "refUpdates": [staged]},
        "commit": commit_input(change, repository=repository, branch=staging_branch, message=message),
    }
    answer = (await github.graphql("stage_commit", variables, token=token)).complete()
    oid = answer["createCommitOnBranch"]["commit"]["oid"]
    moves = [
        {"name": f"refs/heads/{branch}", "beforeOid": expected_oid, "afterOid": oid, "force": True},
        {"name": f"refs/heads/{staging_branch}", "beforeOid": oid, "afterOid": NOWHERE, "force": True},
    ]
    refs = {"repositoryId": repository_node_id, "refUpdates": moves}
    (await github.graphql("move_branches", {"refs": refs}, token=token)).complete()
    return oid


async def fetch_bases(github: GitHubClient, wanted: Sequence[tuple[str, str]], *, token: str) -> list[Base | None]:
    """The base branches (repository's node id, name), in the same order; None where there is no such repository."""
    found: list[Base | None] = []

    async def ask(batch: Sequence[tuple[str, str]]) -> None:
        document, variables = bases_query(batch)
        data = (await github.graphql(document, variables, token=token)).but_for_missing_fields()
        found.extend(_base_from(data.get(f"r{number}")) for number in range(len(batch)))

    await PageSize().ask_for_all(wanted, ask)
    return found


def bases_query(wanted: Sequence[tuple[str, str]]) -> tuple[str, dict[str, Any]]:
    """The document that asks whether repositories can still be changed, and where a branch of each stands now."""
    variables: dict[str, Any] = {}
    for number, (node_id, branch) in enumerate(wanted):
        variables |= {f"r{number}": node_id, f"b{number}": f"refs/heads/{branch}"}
    declared = ", ".join(f"$r{number}: ID!, $b{number}: String!" for number in range(len(wanted)))
    fields = " ".join(
        f"r{number}: node(id: $r{number}) {{ ... on Repository {{ nameWithOwner isArchived"
        f" ref(qualifiedName: $b{number}) {{ target {{ oid }} }} }} }}"
        for number in range(len(wanted))
    )
    return f"query Bases({declared}) {{ {RATE_LIMIT} {fields} }}", variables


def _base_from(node: Mapping[str, Any] | None) -> Base | None:
    if not node:
        return None
    return Base(
        repository=node["nameWithOwner"],
        is_archived=node["isArchived"],
        oid=node["ref"]["target"]["oid"] if node["ref"] else None,
    )


def repository_node(answer: Mapping[str, Any], repository_node_id: str) -> Mapping[str, Any]:
    """The `node` of an answer; raises `GitHubNotFound` where it is null."""
    node = answer["node"]
    if not node:
        raise GitHubNotFound(f"there is no repository {repository_node_id}, or the App may not see it")
    return node


def commit_from(node: Mapping[str, Any]) -> BranchCommit:
    author: Mapping[str, Any] = node["author"] or {}
    committer: Mapping[str, Any] = node["committer"] or {}
    return BranchCommit(
        oid=node["oid"],
        message=node["message"],
        author_name=author.get("name") or "",
        author_email=author.get("email") or "",
        committer_email=committer.get("email") or "",
    )


def commit_input(change: PreparedChange, *, repository: str, branch: str, message: str) -> dict[str, Any]:
    """GitHub's `CreateCommitOnBranchInput`: the commit goes on the change's base, wherever the branch should be."""
    headline, _, body = message.partition("\n")
    return {
        "branch": {"repositoryNameWithOwner": repository, "branchName": branch},
        "expectedHeadOid": change.base_oid,
        "message": {"headline": headline, "body": body.strip("\n")},
        "fileChanges": {
            "additions": [
                {"path": file.path, "contents": base64.b64encode(file.content).decode()}
                for file in change.files
                if file.content is not None
            ],
            "deletions": [{"path": file.path} for file in change.files if file.content is None],
        },
    }
