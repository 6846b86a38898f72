"""What git's words mean; GitHub's limits on git show as 429 and 503."""

from __future__ import annotations

import re

from ..errors import (
    Conflict,
    GitHubError,
    GitHubForbidden,
    GitHubNotFound,
    GitHubUnauthorized,
    GitHubUnavailable,
    OctobatchError,
)

_FAILURES: dict[type[OctobatchError], tuple[str, ...]] = {
    Conflict: (
        r"stale info|\[rejected\]|fetch first|non-fast-forward",
        r"cannot lock ref|reference already exists|failed to update ref",
    ),
    GitHubUnauthorized: (r"Authentication failed|error: 401|could not read (Username|Password)",),
    GitHubForbidden: (
        r"error: 403|Permission to .* denied|Write access to repository not granted",
        r"protected branch|hook declined|refusing to allow|GH\d{3}:|\[remote rejected\]",
    ),
    GitHubNotFound: (
        r"error: 404|[Rr]epository .*not found",
        r"not our ref|couldn't find remote ref|unadvertised object",
    ),
    GitHubUnavailable: (
        r"error: (429|5\d\d)|Could not resolve host|Failed to connect|Couldn't connect",
        r"Connection (refused|reset)|timed out|took longer than|early EOF|hung up|transfer closed",
        r"RPC failed|SSL|certificate|Empty reply|Operation too slow",
    ),
}
"""What git's and GitHub's words mean; the first that fits counts."""


def failure_of(message: str) -> OctobatchError:
    """The error for what git said when it could not fetch or push."""
    said = "; ".join(line.strip() for line in message.splitlines() if line.strip())[:500]
    for kind, patterns in _FAILURES.items():
        if any(re.search(pattern, message) for pattern in patterns):
            return kind(f"git: {said}")
    return GitHubError(f"git: {said}")
