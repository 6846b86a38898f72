"""Whether GitHub can be reached at all, from this machine, by the way that requests go."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx

from ..errors import GitHubUnavailable
from ..observability.health import PATIENCE_SECONDS, Check
from ..settings import Settings
from .addresses import addresses_of
from .network import network_of

KEPT_SECONDS = 15.0

PATH = "/rate_limit"
"""The one address of the API that counts against no limit, also for those who do not sign in.

https://docs.github.com/en/rest/rate-limit/rate-limit
"""


@asynccontextmanager
async def open_github_check(settings: Settings) -> AsyncIterator[Check]:
    """A check that sends a HEAD to GitHub's API every 15 seconds at most, without credentials.

    Any answer will do that is no server error: GitHub Enterprise Server may want to know who asks, or have no limits.
    """
    address = f"{addresses_of(settings.github_api_base).rest}{PATH}"

    async def ask() -> str:
        try:
            answer = await http.head(address)
        except httpx.HTTPError as error:
            raise GitHubUnavailable(f"{address}: {str(error) or type(error).__name__}") from error
        if answer.is_server_error:
            raise GitHubUnavailable(f"{address} answered {answer.status_code}", status=answer.status_code)
        return ""

    options = network_of(settings).httpx_options(address)
    async with httpx.AsyncClient(timeout=PATIENCE_SECONDS, headers={"User-Agent": "octobatch"}, **options) as http:
        yield Check("github", ask, kept_seconds=KEPT_SECONDS)
