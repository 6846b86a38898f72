"""Tokens workers' contexts on real stores and the GitHub sandbox, and an organisation of each test's own."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from pydantic import SecretStr
from redis.asyncio import Redis

from sandbox.github.first_start import PERMISSIONS
from shared.blobs.store import open_blob_store
from shared.domain.ids import InstallationId
from shared.domain.permissions import parse_permissions, permissions_text
from shared.outbox import Outbox
from shared.postgres.pool import Pool
from shared.settings import TokensSettings
from shared.streams.requests import Requests
from tests.github_sandbox import RunningSandbox
from workers.runtime import Infrastructure
from workers.tokens.context import TokensContext
from workers.tokens.settings import open_tokens


@dataclass(frozen=True, kw_only=True)
class Org:
    """An organisation on which the App is installed, and how to change its installation."""

    login: str
    id: InstallationId
    github: RunningSandbox

    def change(self, **body: Any) -> None:
        """Changes the installation, as its owner would."""
        self.github.ask("PATCH", f"installations/{self.id}", body)

    def uninstall(self) -> None:
        """Takes the App off it."""
        self.github.ask("DELETE", f"installations/{self.id}")


@pytest.fixture
def org(github: RunningSandbox) -> Iterator[Org]:
    """Uninstalled again at the end, for syncs see all organisations."""
    login = f"org-{uuid4().hex[:8]}"
    org = Org(login=login, id=InstallationId(github.add_organization(login)), github=github)
    yield org
    if login in github.ask("GET", "")["installations"]:
        org.uninstall()


@pytest.fixture
def tokens_settings(dsn: str, redis_url: str, redis: Redis, blobs_folder: Path, github: RunningSandbox) -> Any:
    """Settings that expect just what the sandbox's App asks for."""
    return TokensSettings(
        postgres_dsn=SecretStr(dsn),
        redis_url=SecretStr(redis_url),
        blobstore_url=blobs_folder.as_uri(),
        github_api_base=github.api_base,
        github_app_id=str(github.app_id),
        github_app_private_key=SecretStr(github.private_key),
        github_app_permissions=permissions_text(parse_permissions(PERMISSIONS)),
    )


@pytest.fixture
async def contexts(tokens_settings: TokensSettings, pool: Pool, redis: Redis) -> AsyncIterator[list[TokensContext]]:
    """Those of two tokens workers; nothing is known yet of the test's organisation, which is made after them."""
    async with AsyncExitStack() as stack:
        infrastructure = Infrastructure(
            pool=pool,
            redis=redis,
            blobs=await stack.enter_async_context(open_blob_store(tokens_settings)),
            outbox=Outbox(pool, redis),
            requests=Requests(redis),
        )
        yield [await stack.enter_async_context(open_tokens(tokens_settings, infrastructure)) for _ in range(2)]


@pytest.fixture
def ctx(contexts: list[TokensContext]) -> TokensContext:
    return contexts[0]
