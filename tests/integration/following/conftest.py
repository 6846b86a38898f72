"""Worlds of one campaign over repositories on the sandbox."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from redis.asyncio import Redis

from tests.github_sandbox import RunningSandbox
from tests.integration.campaigns.conftest import SettingsMaker, make_settings
from tests.integration.following.world import WorldMaker, open_worlds

__all__ = ["make_settings"]


@pytest.fixture
async def make_world(
    make_settings: SettingsMaker, redis: Redis, redis_url: str, github: RunningSandbox, blobs_folder: Path
) -> AsyncIterator[WorldMaker]:
    """Makes worlds on this test's stores."""
    settings = make_settings(github_api_base=github.api_base)
    async with open_worlds(settings, redis_url=redis_url, blobs_folder=blobs_folder, sandbox=github) as make:
        yield make
