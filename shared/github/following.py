"""The present state of many pull requests, 100 a request."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..domain.target import ChecksState, ReviewState
from .client import GitHubClient
from .graphql import nodes_of
from .pull_requests import PullRequest, pull_request_from

MOST_AT_ONCE = 100
"""GitHub's bound on `nodes(ids:)`."""

_DECISIONS = {
    "APPROVED": ReviewState.APPROVED,
    "CHANGES_REQUESTED": ReviewState.CHANGES_REQUESTED,
    "REVIEW_REQUIRED": ReviewState.PENDING,
}
_BY_WEIGHT = (ReviewState.CHANGES_REQUESTED, ReviewState.APPROVED, ReviewState.DISMISSED, ReviewState.COMMENTED)
_ROLLUPS = {
    "SUCCESS": ChecksState.PASSED,
    "FAILURE": ChecksState.FAILED,
    "ERROR": ChecksState.FAILED,
    "PENDING": ChecksState.PENDING,
    "EXPECTED": ChecksState.PENDING,
}


@dataclass(frozen=True, kw_only=True)
class FollowedPullRequest:
    """A pull request with the states of its reviews and checks. `conflicts` is None while GitHub computes it.

    `base_oid` is where its base branch stands, None where that is gone. `head_message` and `head_author` are those of
    its last commit, empty where it has none.
    """

    pull_request: PullRequest
    conflicts: bool | None
    review_state: ReviewState
    checks_state: ChecksState
    base_oid: str | None = None
    head_message: str = ""
    head_author: str = ""
    merges_itself: bool = False  # auto-merge is enabled


async def follow_pull_requests(
    github: GitHubClient, node_ids: Sequence[str], *, token: str
) -> dict[str, FollowedPullRequest]:
    """At most `MOST_AT_ONCE` pull requests by their node ids; those that GitHub no longer shows are missing.

    A part that the App may not see, such as checks, is taken as unknown.
    """
    answer = await github.graphql("follow_pull_requests", {"ids": list(node_ids)}, token=token)
    nodes: list[Mapping[str, Any] | None] = answer.data.get("nodes") or []
    return {node["id"]: _followed(node) for node in nodes if node}


def _followed(node: Mapping[str, Any]) -> FollowedPullRequest:
    commits = nodes_of(node["commits"])
    head: Mapping[str, Any] = commits[-1]["commit"] if commits else {}
    author: Mapping[str, Any] = head.get("author") or {}
    return FollowedPullRequest(
        pull_request=pull_request_from(node),
        conflicts={"CONFLICTING": True, "MERGEABLE": False}.get(node["mergeable"]),
        review_state=_review_state(node),
        checks_state=_checks_state(head),
        base_oid=node["baseRef"]["target"]["oid"] if node["baseRef"] else None,
        head_message=head.get("message") or "",
        head_author=author.get("name") or "",
        merges_itself=node["autoMergeRequest"] is not None,
    )


def _review_state(node: Mapping[str, Any]) -> ReviewState:
    """GitHub's decision where reviews are required, else what the newest opinions of the reviewers come to.

    A comment is no opinion, and takes none away from who gave one before it.
    """
    if node["reviewDecision"] in _DECISIONS:
        return _DECISIONS[node["reviewDecision"]]
    reviews = [*nodes_of(node["latestOpinionatedReviews"]), *nodes_of(node["latestReviews"])]
    states = {review["state"] for review in reviews}
    return next((state for state in _BY_WEIGHT if state.value.upper() in states), ReviewState.NONE)


def _checks_state(head: Mapping[str, Any]) -> ChecksState:
    rollup: Mapping[str, Any] | None = head.get("statusCheckRollup")
    return _ROLLUPS.get(rollup["state"], ChecksState.UNKNOWN) if rollup else ChecksState.UNKNOWN
