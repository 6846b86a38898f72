"""Versions of GitHub's REST API, which are dates: the one that Octobatch speaks, and what to do where it is not spoken.

A server that does not speak a version refuses each request that names it: with 400, as GitHub does today, or with 410,
as it announced for retired ones. Source: docs.github.com "API Versions" (for versions too old to have this, no header).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, cast

from ..errors import GitHubError

API_VERSION = "2022-11-28"
"""What Octobatch is made for."""

HEADER = "x-github-api-version"

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_SPOKEN_OF = re.compile(r"x-github-api-version|\bapi version\b", re.IGNORECASE)
_STATUSES = frozenset({400, 410})


def choose(supported: Sequence[str]) -> str | None:
    """The version to ask for: ours, else the newest that the server has, else none."""
    return API_VERSION if API_VERSION in supported else max(supported, default=None)


def versions_in(body: Any) -> tuple[str, ...]:
    """The versions of the decoded answer to `GET /versions`; none where it is no list of them."""
    if not isinstance(body, list):
        return ()
    return tuple(each for each in cast("list[Any]", body) if isinstance(each, str) and _DATE.fullmatch(each))


def is_refusal(error: GitHubError) -> bool:
    """Whether a request was refused for the version that it named."""
    return error.status in _STATUSES and bool(_SPOKEN_OF.search(error.message))
