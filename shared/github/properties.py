"""Custom properties of an organisation's repositories, which GitHub gives by REST alone.

Source: docs.github.com "REST API endpoints for custom properties" (needs `organization_custom_properties: read`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..domain.repository import Properties
from ..errors import GitHubNotFound
from .client import GitHubClient


async def fetch_properties(github: GitHubClient, org: str, *, token: str) -> dict[int, Properties]:
    """The custom properties of those repositories (by database id) that have any.

    A user has none. Raises `GitHubForbidden` where the token may not read them.
    """
    found: dict[int, Properties] = {}
    try:
        async for page in github.rest_pages(f"/orgs/{org}/properties/values", token=token):
            for repository in page:
                if properties := _properties(repository):
                    found[repository["repository_id"]] = properties
    except GitHubNotFound:
        return {}
    return found


def _properties(repository: Mapping[str, Any]) -> Properties:
    return {each["property_name"]: _values(each["value"]) for each in repository["properties"] if each["value"]}


def _values(value: str | list[str]) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value)
