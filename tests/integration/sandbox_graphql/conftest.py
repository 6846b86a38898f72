"""A GitHub of each test's own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from sandbox.github.world import World
from tests.integration.sandbox_graphql.github import GitHub


@pytest.fixture
async def github(tmp_path: Path) -> AsyncIterator[GitHub]:
    """The organisation `acme` with the App installed on it, and no repositories."""
    world = World.open(tmp_path / "github", base_url="http://github.test")
    yield GitHub.of(world)
    await world.close()
