"""The checks of a pull request, by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .client import GitHubClient
from .graphql import nodes_of

_FAILED = {"FAILURE", "ERROR", "TIMED_OUT", "CANCELLED", "ACTION_REQUIRED", "STARTUP_FAILURE"}


async def failed_checks(github: GitHubClient, node_id: str, *, token: str) -> list[str]:
    """The names of those that failed on its last commit, in order; none where the App may not see them."""
    answer = await github.graphql("failed_checks", {"pullRequest": node_id}, token=token)
    node: Mapping[str, Any] = answer.data.get("node") or {}
    commits = nodes_of(node.get("commits"))
    rollup: Mapping[str, Any] = (commits[-1]["commit"]["statusCheckRollup"] or {}) if commits else {}
    failed = (
        each for each in nodes_of(rollup.get("contexts")) if (each.get("conclusion") or each.get("state")) in _FAILED
    )
    return sorted({str(each.get("name") or each.get("context")) for each in failed})
