"""No request makes the API fail, is answered otherwise than described, or is refused without a reason.

Schemathesis asks a gateway on real stores, with a tokens worker and the GitHub sandbox behind it. The everyday form
makes some hundred requests; `make fuzz` at least 20,000.

Two of its checks are left out. `positive_data_acceptance`: what is valid by the schema alone may still name a campaign
that is not there, or be text that is no spec. `object_level_authorization` needs several users of one kind.
Health is left out: it answers 503, in a form of its own, where workers are missing, as here; it has its own tests.
So is the stream of all runs' events, which does not end while the gateway is there.
No rate is limited, since refusals with 429 would hide what is tested. `/healthz` is not asked: where two of the workers
are missing it says so with 503.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from redis.asyncio import Redis

from sandbox.embedded.servers import free_port
from shared.auth.api_keys import new_api_key
from shared.outbox import Outbox
from shared.postgres.pool import Pool
from tests.github_sandbox import RunningSandbox
from tests.worker_bench import WorkerProcess, bench_environment, until

from .seeding import seed

ROOT = Path(__file__).parents[3]
IN_FULL = os.environ.get("OCTOBATCH_SCHEMATHESIS") == "full"
MOST_REQUESTS = 20_000


@dataclass(kw_only=True)
class Gateway:
    """A gateway as a process, and what there is."""

    url: str
    api_key: str
    seeds: dict[str, Any]
    process: WorkerProcess


@pytest.fixture
async def gateway(
    pool: Pool, redis: Redis, github: RunningSandbox, dsn: str, redis_url: str, tmp_path: Path, blobs_folder: Path
) -> AsyncIterator[Gateway]:
    login = "fuzzed"
    installation_id = github.add_organization(login)
    github.add_repository(login, "api")
    port, api_key = free_port(), new_api_key()
    environment = bench_environment(dsn, redis_url, blobs_folder) | {
        "OCTOBATCH_GITHUB_API_BASE": github.api_base,
        "OCTOBATCH_GITHUB_APP_ID": str(github.app_id),
        "OCTOBATCH_GITHUB_APP_PRIVATE_KEY_FILE": str(github.folder / "app.pem"),
        "OCTOBATCH_TOKEN_CACHE_KEY": "c" * 64,
        "OCTOBATCH_WEBHOOKS_SIGNING_KEY": "s" * 32,
        "OCTOBATCH_API_KEY_PEPPER": "p" * 32,
        "OCTOBATCH_BOOTSTRAP_API_KEY": api_key,
        "OCTOBATCH_GATEWAY_PORT": str(port),
        "OCTOBATCH_RATE_PER_SECOND": "0",
        "OCTOBATCH_RATE_ANONYMOUS_PER_SECOND": "0",
        "PYTHONPATH": str(ROOT),
    }
    tokens = WorkerProcess(tmp_path / "tokens.log", environment, [sys.executable, "-m", "workers", "tokens"])
    process = WorkerProcess(tmp_path / "gateway.log", environment, [sys.executable, "-m", "gateway"])
    headers = {"Authorization": f"Bearer {api_key}"}
    try:
        await tokens.ready()
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", headers=headers, timeout=30) as client:
            await until(lambda: _is_ready(client))
            await until(lambda: pool.fetchval("SELECT count(*) FROM installations WHERE id = $1", installation_id))
            seeds = await seed(pool, Outbox(pool, redis), client, blobs_folder, login)
        yield Gateway(url=f"http://127.0.0.1:{port}", api_key=api_key, seeds=seeds, process=process)
    finally:
        process.kill()
        tokens.kill()


async def _is_ready(client: httpx.AsyncClient) -> bool:
    try:
        return (await client.get("/readyz")).status_code == 200
    except httpx.TransportError:
        return False


@pytest.mark.slow
@pytest.mark.timeout(6 * 3600 if IN_FULL else 120)
async def test_no_request_makes_the_api_fail_or_is_answered_otherwise_than_described(
    gateway: Gateway, tmp_path: Path
) -> None:
    answers = tmp_path / "answers"
    phases = "examples,coverage,fuzzing,stateful" if IN_FULL else "examples,fuzzing"
    arguments = ["--phases", phases, "--max-examples", os.environ.get("OCTOBATCH_EXAMPLES", "200") if IN_FULL else "3"]
    ran = await asyncio.to_thread(_schemathesis, gateway, answers, arguments)
    said = ran.stdout
    if wanted := os.environ.get("OCTOBATCH_SCHEMATHESIS_LOG"):
        Path(wanted).write_text(said + ran.stderr + gateway.process.log.read_text())
    assert ran.returncode == 0, f"{said}\n{ran.stderr[-2000:]}\n{gateway.process.log.read_text()[-5000:]}"
    statuses = Counter(answers.read_text().split())
    print(said.rstrip().splitlines()[-1], dict(sorted(statuses.items())))
    assert not [status for status in statuses if status.startswith("5")]
    assert statuses.total() >= (MOST_REQUESTS if IN_FULL else 200)


def _schemathesis(gateway: Gateway, answers: Path, arguments: list[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [
            str(Path(sys.executable).with_name("schemathesis")),
            *("run", f"{gateway.url}/openapi.json", "--url", gateway.url, "--no-color", "--no-shrink"),
            *("--exclude-path", "/healthz"),
            *("--exclude-path-regex", "^/(healthz|readyz|v1/events)$"),
            *("--checks", "all", "--exclude-checks", "positive_data_acceptance,object_level_authorization"),
            *("-H", f"Authorization:Bearer {gateway.api_key}", "--request-timeout", "45", "--continue-on-failure"),
            *("--suppress-health-check", "all", "--warnings", "off", *arguments),
        ],
        env={
            **os.environ,
            "SCHEMATHESIS_HOOKS": "tests.acceptance.fuzzing.hooks",
            "OCTOBATCH_FUZZING_SEEDS": json.dumps(gateway.seeds),
            "OCTOBATCH_FUZZING_ANSWERS": str(answers),
            "PYTHONPATH": str(ROOT),
            "COLUMNS": "160",
        },
        cwd=answers.parent,
        capture_output=True,
        text=True,
        check=False,
    )
