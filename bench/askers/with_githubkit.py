"""githubkit's authentication of an installation, which fetches a token before the request that needs one.

Driven as httpx drives it, up to the point where that request would be sent. Its cache is that of one process, or, with
`redis_url`, shared by all in Redis.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import httpx
from githubkit import AppAuthStrategy, GitHub
from githubkit.cache import AsyncRedisCacheStrategy
from redis.asyncio import Redis

from bench.askers.protocol import PERMISSIONS, Asker, Facts, serve


class GithubkitAsker:
    """One for a process."""

    def __init__(self, github: GitHub[AppAuthStrategy], http: httpx.AsyncClient) -> None:
        self._github = github
        self._http = http
        self._target = f"{github.config.base_url}installation/repositories"

    async def token(self, installation_id: int, repository_id: int) -> str:
        """From the cache, else from GitHub."""
        strategy = self._github.auth.as_installation(
            installation_id, repository_ids=[repository_id], permissions=PERMISSIONS
        )
        flow = strategy.get_auth_flow(self._github).async_auth_flow(httpx.Request("GET", self._target))
        request = await anext(flow)
        while request.method == "POST":
            request = await flow.asend(await self._http.send(request))
        await flow.aclose()
        return str(request.headers["authorization"])


@asynccontextmanager
async def opened(facts: Facts) -> AsyncIterator[Asker]:
    """With a connection for each of the requests at once, as far as GitHub allows them."""
    async with AsyncExitStack() as stack:
        cache = None
        if facts.get("redis_url"):
            redis = await stack.enter_async_context(Redis.from_url(facts["redis_url"]))
            cache = AsyncRedisCacheStrategy(redis)
        limits = httpx.Limits(max_connections=100, max_keepalive_connections=100)
        http = await stack.enter_async_context(httpx.AsyncClient(limits=limits, timeout=60))
        strategy = AppAuthStrategy(facts["app_id"], facts["private_key"])
        yield GithubkitAsker(GitHub(strategy, base_url=facts["api_base"], cache_strategy=cache), http)


if __name__ == "__main__":
    serve(opened)
