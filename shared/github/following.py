"""The present state of many pull requests, 100 a request."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..domain.target import ChecksState, ReviewState
from .client import GitHubClient
from .pull_requests import PullRequest, pull_request_from

MOST_AT_ONCE = 100
"""GitHub's bound on `nodes(ids:)`."""

_DECISIONS = {
    "APPROVED": ReviewState.APPROVED,
    "CHANGES_REQUESTED": ReviewState.CHANGES_REQUESTED,
    "REVIEW_REQUIRED": ReviewState.PENDING,
}
_ROLLUPS = {
    "SUCCESS": ChecksState.PASSED,
    "FAILURE": ChecksState.FAILED,
    "ERROR": ChecksState.FAILED,
    "PENDING": ChecksState.PENDING,
    "EXPECTED": ChecksState.PENDING,
}


@dataclass(frozen=True, kw_only=True)
class FollowedPullRequest:
    """A pull request with the states of its reviews and checks. `conflicts` is None while GitHub computes it."""

    pull_request: PullRequest
    conflicts: bool | None
    review_state: ReviewState
    checks_state: ChecksState


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
    return FollowedPullRequest(
        pull_request=pull_request_from(node),
        conflicts={"CONFLICTING": True, "MERGEABLE": False}.get(node["mergeable"]),
        review_state=_review_state(node),
        checks_state=_checks_state(node),
    )


def _review_state(node: Mapping[str, Any]) -> ReviewState:
    """GitHub's decision where reviews are required, else what the newest opinions of the reviewers come to."""
    decision = node["reviewDecision"]
    opinions: Mapping[str, Any] = node["latestOpinionatedReviews"] or {}
    reviews: Sequence[Mapping[str, Any] | None] = opinions.get("nodes") or []
    states = {review["state"] for review in reviews if review}
    if decision in _DECISIONS:
        return _DECISIONS[decision]
    for state in (ReviewState.CHANGES_REQUESTED, ReviewState.APPROVED, ReviewState.DISMISSED):
        if state.value.upper() in states:
            return state
    return ReviewState.NONE


def _checks_state(node: Mapping[str, Any]) -> ChecksState:
    commits: Sequence[Mapping[str, Any] | None] = node["commits"]["nodes"] or []
    rollup = commits[-1]["commit"]["statusCheckRollup"] if commits and commits[-1] else None
    return _ROLLUPS.get(rollup["state"], ChecksState.UNKNOWN) if rollup else ChecksState.UNKNOWN
