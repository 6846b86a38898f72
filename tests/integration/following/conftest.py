"""Worlds of one campaign over repositories on the sandbox."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import replace
from uuid import uuid4

import pytest
from redis.asyncio import Redis

from shared.blobs.folder import FolderStore
from shared.domain.ids import InstallationId
from shared.outbox import Outbox
from shared.postgres.pool import Pool
from shared.settings import CampaignsSettings
from shared.streams.requests import Requests
from tests.github_sandbox import RunningSandbox
from tests.integration.campaigns.conftest import make_settings, rows
from tests.integration.campaigns.rows import Rows
from tests.integration.following.world import FILES, SPEC, SandboxTokens, World
from workers.campaigns.context import open_campaigns
from workers.runtime import Infrastructure

__all__ = ["make_settings", "rows"]

WorldMaker = Callable[..., Awaitable[World]]


@pytest.fixture
async def make_world(
    make_settings: Callable[..., CampaignsSettings],
    pool: Pool,
    redis: Redis,
    rows: Rows,
    github: RunningSandbox,
    blobs_folder: str,
) -> AsyncIterator[WorldMaker]:
    """Makes a world: `rest` goes on where `SPEC` ends, inside of its changesetTemplate."""
    infrastructure = Infrastructure(
        pool=pool,
        redis=redis,
        blobs=FolderStore(blobs_folder),
        outbox=Outbox(pool, redis),
        requests=Requests(redis),
    )
    async with AsyncExitStack() as stack:
        settings = make_settings(github_api_base=github.api_base)
        ctx = await stack.enter_async_context(open_campaigns(settings, infrastructure))

        async def make(*, rest: str = "", repositories: int = 1) -> World:
            owner = f"following-{uuid4().hex[:8]}"
            installation_id = InstallationId(github.add_organization(owner))
            await pool.execute(
                "INSERT INTO installations (id, account, account_type, repository_selection, permissions)"
                " VALUES ($1, $2, 'Organization', 'all', $3)",
                installation_id,
                owner,
                {"checks": "read"},
            )
            made = [github.add_repository(owner, f"r-{n}", files=FILES) for n in range(repositories)]
            return World(
                ctx=replace(ctx, tokens=SandboxTokens(github)),
                rows=rows,
                sandbox=github,
                owner=owner,
                installation_id=installation_id,
                campaign_id=await rows.campaign(name=owner, document=SPEC.format(name=owner, rest=rest)),
                made={each["full_name"]: each for each in made},
            )

        yield make
