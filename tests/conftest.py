"""Fixtures by resource: real servers, started once a session; a fresh database and an empty Valkey for each test."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest
from redis.asyncio import Redis

import migrations
from sandbox.embedded.postgres import EmbeddedPostgres, running_postgres
from sandbox.embedded.valkey import EmbeddedValkey, running_valkey
from shared.postgres.pool import Pool, open_pool
from tests.github_sandbox import RunningSandbox, running_sandbox


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedPostgres]:
    """A PostgreSQL server whose database `octobatch` is migrated and never written to: the template of the rest."""
    with running_postgres(tmp_path_factory.mktemp("postgres"), durable=False) as server:
        migrations.upgrade(server.dsn())
        yield server


@pytest.fixture(scope="session")
def valkey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedValkey]:
    """A Valkey server."""
    with running_valkey(tmp_path_factory.mktemp("valkey")) as server:
        yield server


@pytest.fixture
def dsn(postgres: EmbeddedPostgres) -> Iterator[str]:
    """The address of a fresh, migrated database of this test's own."""
    name = f"test_{uuid4().hex}"

    async def execute(statement: str) -> None:
        conn = await asyncpg.connect(postgres.dsn("postgres"))
        await conn.execute(statement)
        await conn.close()

    asyncio.run(execute(f"CREATE DATABASE {name} TEMPLATE octobatch STRATEGY file_copy"))
    yield postgres.dsn(name)
    asyncio.run(execute(f"DROP DATABASE {name} WITH (FORCE)"))


@pytest.fixture
async def pool(dsn: str) -> AsyncIterator[Pool]:
    """A pool on the fresh database."""
    async with open_pool(dsn, size=20) as pool:
        yield pool


@pytest.fixture
def redis_url(valkey: EmbeddedValkey) -> str:
    """The address of Valkey. Take the fixture `redis` too where it must be empty."""
    return valkey.url


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator[Redis]:
    """A client of an empty Valkey."""
    async with Redis.from_url(redis_url) as client:
        await client.flushall()
        yield client


@pytest.fixture
def blobs_folder(tmp_path: Path) -> Path:
    """An empty folder for artifacts."""
    folder = tmp_path / "blobs"
    folder.mkdir()
    return folder


@pytest.fixture(scope="session")
def github_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSandbox]:
    """A GitHub sandbox, started once. Take the fixture `github`, which undoes what a test sets."""
    with running_sandbox(tmp_path_factory.mktemp("github")) as sandbox:
        yield sandbox


@pytest.fixture
def github(github_process: RunningSandbox) -> Iterator[RunningSandbox]:
    """A GitHub sandbox as it starts. Its data is shared: use an organisation of your own."""
    yield github_process
    github_process.ask("DELETE", "faults")
    github_process.ask("DELETE", "limits")
    github_process.ask("DELETE", "counters")
    settings = {"clock_skew_seconds": 0, "token_lifetime_seconds": 3600, "token_canary": "", "webhook_url": ""}
    server = {"api_versions": ["2022-11-28", "2026-03-10"], "private_mode": False}
    github_process.ask("PATCH", "settings", settings | server)
