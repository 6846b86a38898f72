"""A selection worker's context on real stores and the sandbox."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from redis.asyncio import Redis

from shared.github.app_auth import AppAuth
from shared.github.client import GitHubClient
from shared.outbox import Outbox
from shared.postgres.pool import Pool
from tests.github_sandbox import RunningSandbox, key_ring
from workers.selection.context import SelectionContext

from .selecting import DirectTokens, Selecting


@pytest.fixture
async def selecting(github: RunningSandbox, pool: Pool, redis: Redis) -> AsyncIterator[Selecting]:
    """Makes selections."""
    github.ask("DELETE", "counters")
    async with GitHubClient.open(base_url=github.api_base, timeout_seconds=30) as client:
        app = AppAuth(client, app_id=str(github.app_id), keys=key_ring(github.private_key))
        context = SelectionContext(
            github=client,
            tokens=DirectTokens(app),
            pool=pool,
            outbox=Outbox(pool, redis),
            index_max_age=timedelta(0),
            index_sweep_every=timedelta(minutes=15),
        )
        yield Selecting(ctx=context, sandbox=github)
