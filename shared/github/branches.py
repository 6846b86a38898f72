"""Branches on GitHub: compare with the base, move to a new commit. Decides nothing."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..domain.change import PreparedChange
from ..errors import GitHubNotFound
from .client import GitHubClient

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
    return commits["totalCount"], [_commit_from(node) for node in commits["nodes"]]


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


async def repository_for_target(
    github: GitHubClient, *, repository_node_id: str, base_branch: str, token: str
) -> tuple[str, bool, str | None]:
    """Name, whether archived, and the commit at the base branch (None: no such branch); raises `GitHubNotFound`."""
    variables = {"repository": repository_node_id, "qualifiedBase": f"refs/heads/{base_branch}"}
    answer = (await github.graphql("repository_for_target", variables, token=token)).complete()
    node = repository_node(answer, repository_node_id)
    return node["nameWithOwner"], node["isArchived"], node["ref"]["target"]["oid"] if node["ref"] else None


def repository_node(answer: Mapping[str, Any], repository_node_id: str) -> Mapping[str, Any]:
    """The `node` of an answer; raises `GitHubNotFound` where it is null."""
    node = answer["node"]
    if not node:
        raise GitHubNotFound(f"there is no repository {repository_node_id}, or the App may not see it")
    return node


def _commit_from(node: Mapping[str, Any]) -> BranchCommit:
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
