"""A mint outlives who asked for it: a token that was made is kept for the next."""

from __future__ import annotations

import asyncio

import pytest

from shared.domain.installation import TokenScope
from tests.github_sandbox import RunningSandbox
from tests.integration.installations.conftest import Org, contexts, org, tokens_settings
from tests.integration.tokens.conftest import READ
from tests.worker_bench import until
from workers.tokens.context import TokensContext

__all__ = ["contexts", "org", "tokens_settings"]

MINTED = "rest POST /app/installations/{installation_id:int}/access_tokens"


async def test_a_mint_goes_on_when_all_who_asked_are_gone(
    contexts: list[TokensContext],
    org: Org,
    github: RunningSandbox,
) -> None:
    scope = TokenScope(installation_id=org.id, permissions=READ)
    github.ask("DELETE", "counters")
    github.ask("PUT", "faults", [{"kind": "slow", "match": "access_tokens", "seconds": 1, "count": 1}])
    asking = [asyncio.create_task(contexts[0].minting.token_for(scope)) for _ in range(3)]
    await until(lambda: github.ask("GET", "faults")[0]["fired"] == 1)
    for task in asking:
        task.cancel()
    for task in asking:
        with pytest.raises(asyncio.CancelledError):
            await task
    one, other = await asyncio.gather(*(each.minting.token_for(scope) for each in contexts))
    assert one.token == other.token
    assert github.ask("GET", "counters")[MINTED] == 1
