"""Permissions of a GitHub App's installation: a level for each resource, and how levels compare."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


class Level(StrEnum):
    """Levels in rising order: what `admin` may, includes what `write` may, and that includes `read`."""

    READ = "read"
    WRITE = "write"
    ADMIN = "admin"

    @property
    def rank(self) -> int:
        """Its place in the order, from 1."""
        return list(Level).index(self) + 1


Permissions = Mapping[str, Level]
"""Resource (as GitHub names it, such as `contents` or `pull_requests`) → level."""


def parse_permissions(raw: Mapping[str, str]) -> dict[str, Level]:
    """Permissions from GitHub's JSON; raises `ValueError` for a level that GitHub does not have."""
    return {resource: Level(level) for resource, level in raw.items()}


def missing_permissions(wanted: Permissions, granted: Permissions) -> dict[str, Level]:
    """What of `wanted` is not covered by `granted`."""
    return {
        resource: level
        for resource, level in wanted.items()
        if resource not in granted or granted[resource].rank < level.rank
    }


SELECT = {"metadata": Level.READ, "contents": Level.READ}
"""What it takes to select repositories and read their files."""

PUBLISH = {"metadata": Level.READ, "contents": Level.WRITE, "pull_requests": Level.WRITE}
"""What it takes to push a branch and open a pull request."""
