"""Pull requests on GitHub: look, open, update, close. Decides nothing.

Each function is one request. Those that write raise the `GitHub…` error of the first part that GitHub refused;
`publish_change` alone answers in part, since its caller must know how far GitHub came.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from ..domain.change import PreparedChange
from ..domain.target import PullRequestRef
from ..errors import GitHubError
from .branches import commit_input, repository_node
from .client import GitHubClient


class PullRequestState(StrEnum):
    """GitHub's `PullRequestState`."""

    OPEN = "OPEN"
    CLOSED = "CLOSED"
    MERGED = "MERGED"


@dataclass(frozen=True, kw_only=True)
class PullRequest:
    """A pull request as GitHub describes it."""

    ref: PullRequestRef
    state: PullRequestState
    is_draft: bool
    body: str
    base_branch: str
    from_fork: bool
    head_oid: str
    updated_at: datetime


@dataclass(frozen=True, kw_only=True)
class BranchView:
    """What stands on GitHub for a target. `head_oid` is None where the branch does not exist.

    `viewer` is the login of the App; `pull_requests` are those from a branch of that name, newest first.
    """

    viewer: str
    repository: str
    is_archived: bool
    head_oid: str | None
    pull_requests: tuple[PullRequest, ...]


@dataclass(frozen=True, kw_only=True)
class NewPullRequest:
    """A pull request to open."""

    repository_node_id: str
    base_branch: str
    branch: str
    title: str
    body: str
    draft: bool

    def as_input(self) -> dict[str, Any]:
        """GitHub's `CreatePullRequestInput`."""
        return {
            "repositoryId": self.repository_node_id,
            "baseRefName": self.base_branch,
            "headRefName": self.branch,
            "title": self.title,
            "body": self.body,
            "draft": self.draft,
        }


@dataclass(frozen=True, kw_only=True)
class PublishAnswer:
    """How far GitHub came: what it made, and the first error where it did not make all."""

    commit_oid: str | None
    pull_request: PullRequest | None
    error: GitHubError | None


async def look_at_branch(github: GitHubClient, *, repository_node_id: str, branch: str, token: str) -> BranchView:
    """The branch and the pull requests from it; raises `GitHubNotFound` where the repository is gone."""
    variables = {"repository": repository_node_id, "branch": branch, "qualifiedBranch": f"refs/heads/{branch}"}
    answer = (await github.graphql("look_at_branch", variables, token=token)).complete()
    node = repository_node(answer, repository_node_id)
    return BranchView(
        viewer=answer["viewer"]["login"],
        repository=node["nameWithOwner"],
        is_archived=node["isArchived"],
        head_oid=node["ref"]["target"]["oid"] if node["ref"] else None,
        pull_requests=tuple(map(pull_request_from, node["pullRequests"]["nodes"])),
    )


async def publish_change(
    github: GitHubClient, change: PreparedChange, *, repository: str, message: str, new: NewPullRequest, token: str
) -> PublishAnswer:
    """Branch, signed commit and pull request in one request. Each part can fail with the others done."""
    variables = {
        "ref": {
            "repositoryId": new.repository_node_id,
            "name": f"refs/heads/{new.branch}",
            "oid": change.base_oid,
        },
        "commit": commit_input(change, repository=repository, branch=new.branch, message=message),
        "pullRequest": new.as_input(),
    }
    answer = await github.graphql("publish_change", variables, token=token)
    made: dict[str, Mapping[str, Any]] = {name: part for name, part in answer.data.items() if part}
    commit: Mapping[str, Any] | None = made.get("createCommitOnBranch", {}).get("commit")
    pull_request: Mapping[str, Any] | None = made.get("createPullRequest", {}).get("pullRequest")
    return PublishAnswer(
        commit_oid=commit["oid"] if commit else None,
        pull_request=pull_request_from(pull_request) if pull_request else None,
        error=answer.errors[0].as_exception() if answer.errors else None,
    )


async def open_pull_request(github: GitHubClient, new: NewPullRequest, *, token: str) -> PullRequest:
    """Opens a pull request for a branch that is there."""
    answer = (await github.graphql("open_pull_request", {"pullRequest": new.as_input()}, token=token)).complete()
    return pull_request_from(answer["createPullRequest"]["pullRequest"])


async def update_pull_request(github: GitHubClient, node_id: str, *, title: str, body: str, token: str) -> PullRequest:
    """Gives a pull request a new title and body."""
    changes = {"pullRequestId": node_id, "title": title, "body": body}
    answer = (await github.graphql("update_pull_request", {"pullRequest": changes}, token=token)).complete()
    return pull_request_from(answer["updatePullRequest"]["pullRequest"])


async def close_pull_request(github: GitHubClient, node_id: str, *, token: str) -> None:
    """Closes a pull request without merging it."""
    variables = {"pullRequest": {"pullRequestId": node_id}}
    (await github.graphql("close_pull_request", variables, token=token)).complete()


def pull_request_from(node: Mapping[str, Any]) -> PullRequest:
    """A pull request from its fields in GraphQL."""
    return PullRequest(
        ref=PullRequestRef(number=node["number"], node_id=node["id"], url=node["url"]),
        state=PullRequestState(node["state"]),
        is_draft=node["isDraft"],
        body=node["body"],
        base_branch=node["baseRefName"],
        from_fork=node["isCrossRepository"],
        head_oid=node["headRefOid"],
        updated_at=datetime.fromisoformat(node["updatedAt"]),
    )
