"""Repositories are looked up with a token that GitHub may have ended meanwhile."""

from __future__ import annotations

from itertools import count

import httpx

from shared.github.client import GitHubClient
from shared.github.young_tokens import YOUNG_SECONDS, TokenAges
from tests.integration.installations.conftest import Org
from workers.tokens.context import TokensContext
from workers.tokens.repositories import Repositories


async def test_a_repository_is_found_although_the_token_that_looks_for_it_ended(ctx: TokensContext, org: Org) -> None:
    for name in ("api", "web"):
        org.github.add_repository(org.login, name)
    installation = await ctx.app.get_installation(org.id)
    all_old = TokenAges(now=count(0, int(YOUNG_SECONDS)).__next__)
    async with httpx.AsyncClient() as http:
        repositories = Repositories(GitHubClient(http, org.github.api_base, ages=all_old), ctx.minting)
        assert await repositories.find(installation, ids=(), names=["api"])
        org.github.ask("DELETE", "tokens")
        [web] = await repositories.find(installation, ids=(), names=["web"])
    assert web.name == f"{org.login}/web"
