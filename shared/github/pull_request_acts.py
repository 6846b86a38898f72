"""Acts on one pull request, and the look that says which of them are done already. Decides nothing.

    view = await look_at_pull_request(github, node_id, token=token)
    if not view.has_comment(mark):
        await comment(github, node_id, body=f"{text}\\n\\n{mark}", token=token)

Each function is one request, unless it says otherwise, and raises the `GitHub…` error with which GitHub refuses.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..domain.spec import MergeMethod
from ..errors import GitHubInvalid, GitHubNotFound
from .branches import NOWHERE
from .client import GitHubClient
from .graphql import nodes_of
from .node_ids import ensure_labels, find_node_ids
from .pull_requests import PullRequest, pull_request_from


@dataclass(frozen=True, kw_only=True)
class PullRequestView:
    """A pull request with what may have been done to it.

    `branch_oid` is where its branch stands, None where it is deleted; `conflicts` is None while GitHub computes it;
    `auto_merge` is `none` where it is not enabled.
    `comments` are the last hundred that the App wrote. `requested` are logins, and teams as `acme/core`.
    """

    pull_request: PullRequest
    repository: str
    is_archived: bool
    branch_oid: str | None
    conflicts: bool | None
    auto_merge: MergeMethod
    labels: tuple[str, ...]
    assignees: tuple[str, ...]
    requested: tuple[str, ...]
    comments: tuple[str, ...]

    def has_comment(self, mark: str) -> bool:
        """Whether one of our comments holds the mark."""
        return any(mark in body for body in self.comments)


async def look_at_pull_request(github: GitHubClient, node_id: str, *, token: str) -> PullRequestView:
    """The pull request as it is now; raises `GitHubNotFound`. Teams that the App may not see are left out."""
    answer = await github.graphql("look_at_pull_request", {"pullRequest": node_id}, token=token)
    node = answer.but_for_missing()["node"]
    if not node:
        raise GitHubNotFound(f"there is no pull request {node_id}, or the App may not see it")
    auto_merge, reviewers = (
        node["autoMergeRequest"],
        [each["requestedReviewer"] for each in nodes_of(node["reviewRequests"])],
    )
    return PullRequestView(
        pull_request=pull_request_from(node),
        repository=node["repository"]["nameWithOwner"],
        is_archived=node["repository"]["isArchived"],
        branch_oid=node["headRef"]["target"]["oid"] if node["headRef"] else None,
        conflicts={"CONFLICTING": True, "MERGEABLE": False}.get(node["mergeable"]),
        auto_merge=MergeMethod(auto_merge["mergeMethod"].lower()) if auto_merge else MergeMethod.NONE,
        labels=tuple(each["name"] for each in nodes_of(node["labels"])),
        assignees=tuple(each["login"] for each in nodes_of(node["assignees"])),
        requested=tuple(filter(None, map(_reviewer, reviewers))),
        comments=tuple(each["body"] for each in nodes_of(node["comments"]) if each["viewerDidAuthor"]),
    )


async def comment(github: GitHubClient, node_id: str, *, body: str, token: str) -> None:
    """Comments below a pull request."""
    await _act(github, "add_comment", {"subjectId": node_id, "body": body}, token=token)


async def add_labels(
    github: GitHubClient, node_id: str, *, repository_node_id: str, labels: Sequence[str], token: str
) -> None:
    """Puts labels on a pull request beside those that it has. Those that the repository lacks are made.

    Two requests, and more where labels are made.
    """
    ids, refused = await ensure_labels(github, [(repository_node_id, label) for label in labels], token=token)
    for error in refused.values():
        raise error.as_exception()
    await _act(github, "add_labels", {"labelableId": node_id, "labelIds": list(ids.values())}, token=token)


async def request_reviews(
    github: GitHubClient,
    node_id: str,
    *,
    repository: str,
    users: Sequence[str] = (),
    teams: Sequence[str] = (),
    token: str,
) -> None:
    """Asks these logins and teams (`core` or `acme/core`) for a review, beside those who are asked: two requests.

    Raises `GitHubInvalid` that names those whom GitHub does not know.
    """
    found = await find_node_ids(github, owner=_owner(repository), users=users, teams=teams, token=token)
    _check_known([*users, *teams], {**found.users, **found.teams})
    asked = {"userIds": list(found.users.values()), "teamIds": list(found.teams.values()), "union": True}
    await _act(github, "request_reviews", {"pullRequestId": node_id, **asked}, token=token)


async def assign(github: GitHubClient, node_id: str, *, repository: str, users: Sequence[str], token: str) -> None:
    """Assigns these logins beside those who are assigned: two requests. Raises `GitHubInvalid` that names strangers."""
    found = await find_node_ids(github, owner=_owner(repository), users=users, token=token)
    _check_known(users, found.users)
    assigned = {"assignableId": node_id, "assigneeIds": list(found.users.values())}
    await _act(github, "add_assignees", assigned, token=token)


async def convert_to_draft(github: GitHubClient, node_id: str, *, token: str) -> PullRequest:
    """Makes an open pull request a draft."""
    return await _change(github, "convert_to_draft", node_id, {}, token=token)


async def mark_ready_for_review(github: GitHubClient, node_id: str, *, token: str) -> PullRequest:
    """Makes a draft ready for review."""
    return await _change(github, "mark_ready_for_review", node_id, {}, token=token)


async def merge_pull_request(
    github: GitHubClient, node_id: str, *, method: MergeMethod, expected_head_oid: str | None, token: str
) -> PullRequest:
    """Merges a pull request whose head is `expected_head_oid` (None: wherever it is)."""
    return await _change(github, "merge_pull_request", node_id, _merging(method, expected_head_oid), token=token)


async def enable_auto_merge(
    github: GitHubClient, node_id: str, *, method: MergeMethod, expected_head_oid: str | None, token: str
) -> None:
    """Has GitHub merge a pull request once all that it requires is met.

    GitHub refuses it where nothing is waited for ("clean status"), and where the repository does not allow it.
    """
    wanted = {"pullRequestId": node_id, **_merging(method, expected_head_oid)}
    await _act(github, "enable_auto_merge", wanted, token=token)


async def reopen_pull_request(github: GitHubClient, node_id: str, *, token: str) -> PullRequest:
    """Opens a closed pull request again, where its branch is as it was."""
    return await _change(github, "reopen_pull_request", node_id, {}, token=token)


async def delete_branch(
    github: GitHubClient, *, repository_node_id: str, branch: str, expected_oid: str, token: str
) -> None:
    """Deletes a branch that stands at `expected_oid`, and no other; GitHub closes an open pull request from it."""
    move = {"name": f"refs/heads/{branch}", "beforeOid": expected_oid, "afterOid": NOWHERE, "force": True}
    refs = {"repositoryId": repository_node_id, "refUpdates": [move]}
    (await github.graphql("move_branches", {"refs": refs}, token=token)).complete()


async def _act(github: GitHubClient, document: str, given: Mapping[str, Any], *, token: str) -> dict[str, Any]:
    return (await github.graphql(document, {"input": given}, token=token)).complete()


async def _change(
    github: GitHubClient, document: str, node_id: str, given: Mapping[str, Any], *, token: str
) -> PullRequest:
    answer = await _act(github, document, {"pullRequestId": node_id, **given}, token=token)
    [payload] = answer.values()
    return pull_request_from(payload["pullRequest"])


def _merging(method: MergeMethod, expected_head_oid: str | None) -> dict[str, Any]:
    expected = {"expectedHeadOid": expected_head_oid} if expected_head_oid else {}
    return {"mergeMethod": method.value.upper(), **expected}


def _check_known(names: Sequence[str], found: Mapping[str, str]) -> None:
    unknown = [name for name in names if name not in found]
    if unknown:
        raise GitHubInvalid(f"GitHub knows no {', '.join(unknown)} here, or the App may not see them")


def _reviewer(reviewer: Mapping[str, Any] | None) -> str | None:
    return (reviewer.get("login") or reviewer.get("combinedSlug")) if reviewer else None


def _owner(repository: str) -> str:
    return repository.partition("/")[0]
