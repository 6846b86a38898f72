"""The App in running tokens workers: its keys are replaced under them, and they share its budget."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis

from shared.domain.ids import InstallationId
from shared.domain.installation import InstallationToken, TokenRequest, TokenScope
from shared.domain.operation import Service
from shared.domain.permissions import Level
from shared.domain.principal import Principal
from shared.errors import GitHubLimited
from shared.streams.requests import Requests
from shared.streams.tokens import TokenClient
from tests.github_sandbox import RunningSandbox, running_sandbox
from tests.worker_bench import Bench, WorkerProcess

WORKER = Principal.of_service(Service.CAMPAIGNS)
READING = {"contents": Level.READ}


@pytest.fixture
def github(tmp_path: Path) -> Iterator[RunningSandbox]:
    """A GitHub of the test's own: keys that are deleted do not come back."""
    with running_sandbox(tmp_path / "github") as sandbox:
        yield sandbox


class Tokens:
    """Tokens workers on one GitHub, and how to ask them for tokens that none of them holds."""

    def __init__(self, bench: Bench, github: RunningSandbox, folder: Path, requests: Requests) -> None:
        self._bench, self._github, self._requests = bench, github, requests
        self._installation_id = InstallationId(github.add_organization("anybody"))
        self.repository_ids = [int(github.add_repository("anybody", f"r{n}")["id"]) for n in range(6)]
        self.key_file = folder / "key.pem"
        self.key_file.write_text(github.private_key)

    async def worker(self, **settings: object) -> WorkerProcess:
        """One more worker, ready."""
        arguments = [sys.executable, "-m", "workers", "tokens"]
        known = {
            "github_api_base": self._github.api_base,
            "github_app_id": self._github.app_id,
            "github_app_private_key_file": self.key_file,
        }
        return await self._bench.launch(arguments, **known, **settings).ready()

    async def get(self, repository_id: int) -> InstallationToken:
        """A token for one repository: each is minted anew."""
        scope = TokenScope(installation_id=self._installation_id, permissions=READING, repository_ids=(repository_id,))
        client = TokenClient(self._requests, timeout_seconds=20)
        return await client.get(TokenRequest(scope=scope, requester=WORKER, purpose="a test"))


@pytest.fixture
async def tokens(bench: Bench, github: RunningSandbox, redis: Redis, tmp_path: Path) -> Tokens:
    return Tokens(bench, github, tmp_path, Requests(redis))


async def test_a_running_worker_signs_with_the_key_that_is_put_into_its_file(
    tokens: Tokens, github: RunningSandbox
) -> None:
    worker = await tokens.worker()
    await tokens.get(tokens.repository_ids[0])
    new = github.ask("POST", "app/keys")["pem"]
    old_id, new_id = github.ask("GET", "app/keys")["fingerprints"]
    tokens.key_file.write_text(new)
    await tokens.get(tokens.repository_ids[1])
    github.ask("DELETE", "app/keys")
    await tokens.get(tokens.repository_ids[2])
    log = worker.log.read_text()
    assert log.count("github_app_key_in_use") == 2
    assert old_id in log
    assert new_id in log
    assert "PRIVATE KEY" not in log


async def test_workers_together_mint_no_more_than_the_app_may(tokens: Tokens, github: RunningSandbox) -> None:
    limits = {"github_limits": "on", "github_rest_points_per_minute": 25}
    await tokens.worker(**limits)
    await tokens.worker(**limits)
    github.ask("DELETE", "counters")
    answers: list[Any] = await asyncio.gather(
        *(tokens.get(each) for each in tokens.repository_ids), return_exceptions=True
    )
    refused = [each for each in answers if isinstance(each, GitHubLimited)]
    assert refused, "six tokens cost 30 points of 25"
    assert len(refused) < len(answers)
    assert all(each.status is None for each in refused), "they are put off before GitHub is asked"
    minted = github.ask("GET", "counters")["rest POST /app/installations/{installation_id:int}/access_tokens"]
    assert minted == len(answers) - len(refused)
