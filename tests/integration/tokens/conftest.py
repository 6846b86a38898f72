"""Tokens workers as processes of their own, on real stores and the GitHub sandbox, and those who ask them."""

from __future__ import annotations

import os
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from redis.asyncio import Redis

from shared.domain.ids import InstallationId, RunId
from shared.domain.installation import TokenRequest, TokenScope
from shared.domain.operation import Service
from shared.domain.permissions import Level
from shared.domain.principal import Principal
from shared.postgres.pool import Pool
from shared.streams.requests import Requests
from shared.streams.tokens import TokenClient
from tests.github_sandbox import RunningSandbox
from tests.worker_bench import WorkerProcess, bench_environment, until

CACHE_KEY = f"{uuid4().hex}{uuid4().hex}"
READ = {"contents": Level.READ}


@dataclass(kw_only=True)
class TokensService:
    """Tokens workers that can be started and killed."""

    pool: Pool
    redis: Redis
    github: RunningSandbox
    environment: dict[str, str]
    folder: Path
    workers: list[WorkerProcess] = field(default_factory=list[WorkerProcess])

    async def start(self, count: int = 1, **settings: object) -> list[WorkerProcess]:
        """So many more workers, ready."""
        chosen = {f"OCTOBATCH_{name.upper()}": str(value) for name, value in settings.items()}
        started = [
            WorkerProcess(
                self.folder / f"tokens-{len(self.workers) + number}.log",
                self.environment | chosen,
                [sys.executable, "-m", "workers", "tokens"],
            )
            for number in range(count)
        ]
        self.workers += started
        for worker in started:
            await worker.ready()
        return started

    async def knows(self, installation_id: InstallationId) -> None:
        """Returns once the workers took in an installation that was there before they began.

        Whoever hears of a new one grants its earlier tokens no more.
        """
        await until(lambda: self.pool.fetchval("SELECT count(*) FROM installations WHERE id = $1", installation_id))

    def organization(self, **facts: Any) -> InstallationId:
        """An organisation of this test's own, with the App installed and three repositories."""
        login = f"org-{uuid4().hex[:12]}"
        installation_id = self.github.add_organization(login, **facts)
        for name in ("api", "web", "docs"):
            self.github.add_repository(login, name)
        return InstallationId(installation_id)

    def client(self) -> TokenClient:
        """Somebody who asks."""
        return TokenClient(Requests(self.redis))

    def mints(self) -> int:
        """How many tokens the sandbox was asked for since its counters were cleared."""
        return sum(count for name, count in self.github.ask("GET", "counters").items() if "access_tokens" in name)

    def stop(self) -> None:
        """Kills every worker."""
        for worker in self.workers:
            worker.kill()


def asked(
    installation_id: InstallationId, *, run_id: RunId | None = None, service: Service = Service.CAMPAIGNS, **scope: Any
) -> TokenRequest:
    """A request of one of our workers."""
    return TokenRequest(
        scope=TokenScope(installation_id=installation_id, **{"permissions": READ, **scope}),
        requester=Principal.of_service(service),
        purpose="a test",
        run_id=run_id,
    )


@pytest.fixture
async def service(
    pool: Pool,
    redis: Redis,
    github: RunningSandbox,
    dsn: str,
    redis_url: str,
    tmp_path: Path,
    blobs_folder: Path,
) -> AsyncIterator[TokensService]:
    environment = bench_environment(dsn, redis_url, blobs_folder) | {
        "OCTOBATCH_GITHUB_API_BASE": github.api_base,
        "OCTOBATCH_GITHUB_APP_ID": str(github.app_id),
        "OCTOBATCH_GITHUB_APP_PRIVATE_KEY_FILE": str(github.folder / "app.pem"),
        "OCTOBATCH_TOKEN_CACHE_KEY": CACHE_KEY,
        "PYTHONPATH": os.environ.get("PYTHONPATH", ""),
    }
    service = TokensService(pool=pool, redis=redis, github=github, environment=environment, folder=tmp_path)
    yield service
    service.stop()
