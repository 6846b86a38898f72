"""The campaigns worker's context over real stores, and commands as the runtime hands them to its handlers."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from redis.asyncio import Redis

from shared.blobs.folder import FolderStore
from shared.outbox import Outbox
from shared.postgres.pool import Pool
from shared.settings import CampaignsSettings
from shared.streams.requests import Requests
from tests.integration.campaigns.rows import Rows
from workers.campaigns.context import CampaignsContext, open_campaigns
from workers.runtime import Infrastructure

SettingsMaker = Callable[..., CampaignsSettings]


@pytest.fixture
def make_settings(dsn: str, redis_url: str, blobs_folder: Path, tmp_path: Path) -> SettingsMaker:
    """Settings of the worker on this test's stores."""

    def make(**values: object) -> CampaignsSettings:
        fields: dict[str, object] = {
            "postgres_dsn": dsn,
            "redis_url": redis_url,
            "blobstore_url": blobs_folder.as_uri(),
            "workspace_dir": tmp_path / "workspaces",
            "github_api_base": "http://127.0.0.1:9/api/v3",  # the discard port: nothing answers there
            "public_url": "https://octobatch.test",
            **values,
        }
        return CampaignsSettings(**fields)  # type: ignore[arg-type]

    return make


@pytest.fixture
async def ctx(
    make_settings: SettingsMaker, pool: Pool, redis: Redis, blobs_folder: Path
) -> AsyncIterator[CampaignsContext]:
    """A context whose GitHub does not answer, for what asks it nothing."""
    infrastructure = Infrastructure(
        pool=pool,
        redis=redis,
        blobs=FolderStore(blobs_folder),
        outbox=Outbox(pool, redis),
        requests=Requests(redis),
    )
    async with open_campaigns(make_settings(), infrastructure) as context:
        yield context


@pytest.fixture
def rows(pool: Pool, redis: Redis) -> Rows:
    """What tests put into Postgres, and read back."""
    return Rows(pool, Outbox(pool, redis))
