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


def excessive_permissions(granted: Permissions, expected: Permissions) -> dict[str, Level]:
    """What of `granted` goes beyond `expected`, at the level that is granted."""
    return missing_permissions(granted, expected)


def permissions_text(permissions: Permissions) -> str:
    """In one line: `checks:read,contents:write`."""
    return ",".join(f"{resource}:{level}" for resource, level in sorted(permissions.items()))


def parse_permissions_text(text: str) -> dict[str, Level]:
    """What `permissions_text` wrote; raises `ValueError` that names the part which is wrong."""
    permissions: dict[str, Level] = {}
    for part in filter(None, (each.strip() for each in text.split(","))):
        resource, colon, level = (each.strip() for each in part.partition(":"))
        if not resource or not colon or level not in set(Level) or resource in permissions:
            raise ValueError(f"{part!r} is not one RESOURCE:LEVEL, such as contents:write; levels: {', '.join(Level)}")
        permissions[resource] = Level(level)
    return permissions


def common_permissions(one: Permissions, other: Permissions) -> dict[str, Level]:
    """What both allow: of each resource in both, the lower level."""
    return {
        resource: min(level, other[resource], key=lambda each: each.rank)
        for resource, level in one.items()
        if resource in other
    }


def describe_permissions(permissions: Permissions) -> str:
    """`contents: read, pull_requests: write`, as people read it."""
    return ", ".join(f"{resource}: {level}" for resource, level in sorted(permissions.items())) or "nothing"


SELECT = {"metadata": Level.READ, "contents": Level.READ}
"""What it takes to select repositories and read their files."""

PUBLISH = {"metadata": Level.READ, "contents": Level.WRITE, "pull_requests": Level.WRITE}
"""What it takes to push a branch and open a pull request."""

EXPECTED = {
    "checks": Level.READ,
    "contents": Level.WRITE,
    "members": Level.READ,
    "metadata": Level.READ,
    "pull_requests": Level.WRITE,
}
"""What the App asks for, and each installation of it is expected to grant: no less, and no more."""
