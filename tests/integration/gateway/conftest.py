"""A gateway on real stores, asked in-process."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI
from pydantic import SecretStr
from redis.asyncio import Redis

from gateway.app import create_app
from shared.auth.api_keys import new_api_key
from shared.settings import GatewaySettings

WEBHOOK_SECRET = "a webhook secret of these tests"


@pytest.fixture
def api_key() -> str:
    return new_api_key()


@pytest.fixture
def settings(dsn: str, redis_url: str, redis: Redis, blobs_folder: Path, api_key: str) -> GatewaySettings:
    return GatewaySettings(
        postgres_dsn=SecretStr(dsn),
        redis_url=SecretStr(redis_url),
        blobstore_url=blobs_folder.as_uri(),
        api_key_pepper=SecretStr("p" * 32),
        bootstrap_api_key=SecretStr(api_key),
        webhook_secret=SecretStr(WEBHOOK_SECRET),
        rate_per_second=0,
        rate_anonymous_per_second=0,
    )


@pytest.fixture
async def app(settings: GatewaySettings) -> AsyncIterator[FastAPI]:
    app = create_app(settings)
    async with app.router.lifespan_context(app):
        yield app


@pytest.fixture
async def anonymous(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """A client without a key."""
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://gateway") as client:
        yield client


@pytest.fixture
async def client(anonymous: httpx.AsyncClient, api_key: str) -> httpx.AsyncClient:
    """A client with a key."""
    anonymous.headers["Authorization"] = f"Bearer {api_key}"
    return anonymous
