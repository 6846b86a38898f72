"""git over HTTPS."""

from __future__ import annotations

from pathlib import Path

from ..domain.change import PreparedChange


async def push_change(
    change: PreparedChange,
    *,
    clone_url: str,
    token: str,
    branch: str,
    expected_oid: str | None,
    folder: Path,
) -> str:
    """Commits a change on its base and pushes it to `branch`; the oid of the commit, the same whenever it is repeated.

    The branch must stand at `expected_oid` (None: must not exist), or at the very commit already; else `Conflict`,
    so that nobody's commits are overwritten. `folder` is where a working copy may be made; it is removed.
    Raises `GitHubUnavailable`, `GitHubForbidden`, `GitHubUnauthorized`, `GitHubNotFound`.
    """
    raise NotImplementedError
