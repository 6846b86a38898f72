"""What kind of GitHub is at the configured address.

    facts = await identify(github)      # facts.enterprise_version is "3.19.0" on a server, None on github.com

Sources: docs.github.com "Meta" (`GET /versions`, `GET /meta`) and "API Versions"; the header
`X-GitHub-Enterprise-Version` stands on every answer of a GitHub Enterprise Server.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, cast

import httpx

from ..clock import utcnow
from ..errors import GitHubUnavailable
from .api_versions import versions_in
from .client import GitHubClient, decoded
from .limits import answered_at

_PRIVATE_MODE = 401
"""So a server in private mode answers who does not sign in: it is there all the same."""


@dataclass(frozen=True, kw_only=True)
class ServerFacts:
    """`api_versions` is empty where the server does not tell; `api_version` is what requests to it name, None for none.

    `is_private`: it shows nothing to who does not sign in. `clock_offset` is its clock minus ours, to the second.
    """

    is_private: bool
    enterprise_version: str | None
    api_versions: tuple[str, ...]
    api_version: str | None
    clock_offset: timedelta | None


async def identify(github: GitHubClient, *, token: str = "") -> ServerFacts:
    """Asks the server what it is; the client uses the API version that is found from then on.

    With `token` a server in private mode tells its versions too. Raises `GitHubUnavailable` where no GitHub answers.
    """
    root = await github.look("/")
    _check_is_github(github, root)
    is_private = root.status_code == _PRIVATE_MODE
    asks = bool(token) or not is_private
    versions = versions_in(decoded(await github.look("/versions", token=token))) if asks else ()
    if versions:
        github.speak(versions)
    enterprise_version = root.headers.get("x-github-enterprise-version")
    if enterprise_version is None and asks:
        enterprise_version = _installed(decoded(await github.look("/meta", token=token)))
    theirs = answered_at(root.headers)
    return ServerFacts(
        is_private=is_private,
        enterprise_version=enterprise_version,
        api_versions=versions,
        api_version=github.api_version,
        clock_offset=theirs - utcnow() if theirs else None,
    )


def _check_is_github(github: GitHubClient, root: httpx.Response) -> None:
    address, status = f"{github.addresses.rest}/", root.status_code
    if root.has_redirect_location:
        why = f"{address} leads to {root.headers['location']}: set OCTOBATCH_GITHUB_API_BASE to where it leads"
        raise GitHubUnavailable(why, status=status)
    if not (root.is_success or status == _PRIVATE_MODE) or "x-github-media-type" not in root.headers:
        raise GitHubUnavailable(f"{address} answers with {status}, and not as GitHub's API does", status=status)


def _installed(meta: Any) -> str | None:
    version = cast("Mapping[str, Any]", meta).get("installed_version") if isinstance(meta, dict) else None
    return str(version) if version else None
