"""A token's whole way: asked of the gateway, allowed by a policy, minted by the tokens worker, used, and revoked.

At the sandbox, and by `pytest -m github` at GitHub itself too.
"""

from __future__ import annotations

import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
from pydantic import SecretStr
from redis.asyncio import Redis

from gateway.app import create_app
from shared.auth.api_keys import new_api_key
from shared.domain.token import token_sha256
from shared.settings import GatewaySettings
from tests.github.conftest import TestApp
from tests.worker_bench import WorkerProcess, bench_environment, until

pytestmark = pytest.mark.github

POLICIES = """version: 1
policies:
  - name: readers
    principals: [{apiKey: bootstrap}]
    installations: [".*"]
    permissions: {metadata: read}
"""
METADATA = {"permissions": {"metadata": "read"}, "purpose": "the test against GitHub"}


@pytest.fixture
async def worker(
    test_app: TestApp, dsn: str, redis: Redis, redis_url: str, blobs_folder: Path, tmp_path: Path
) -> AsyncIterator[WorkerProcess]:
    """A tokens worker of that App, which has asked GitHub for its installations."""
    key = tmp_path / "app.pem"
    key.touch(mode=0o600)
    key.write_text(test_app.private_key)
    environment = bench_environment(dsn, redis_url, blobs_folder) | {
        "OCTOBATCH_GITHUB_API_BASE": test_app.api_base,
        "OCTOBATCH_GITHUB_APP_ID": test_app.app_id,
        "OCTOBATCH_GITHUB_APP_PRIVATE_KEY_FILE": str(key),
        "OCTOBATCH_TOKEN_CACHE_KEY": uuid4().hex,
        **{name: value for name, value in os.environ.items() if name.upper().endswith("_PROXY")},
    }
    worker = WorkerProcess(tmp_path / "tokens.log", environment, [sys.executable, "-m", "workers", "tokens"])
    try:
        yield await worker.ready()
    finally:
        worker.kill()


@pytest.fixture
async def gateway(
    worker: WorkerProcess, dsn: str, redis_url: str, blobs_folder: Path
) -> AsyncIterator[httpx.AsyncClient]:
    """A gateway beside it, and a client with an API key."""
    key = new_api_key()
    app = create_app(
        GatewaySettings(
            postgres_dsn=SecretStr(dsn),
            redis_url=SecretStr(redis_url),
            blobstore_url=blobs_folder.as_uri(),
            api_key_pepper=SecretStr("p" * 32),
            bootstrap_api_key=SecretStr(key),
        )
    )
    headers = {"Authorization": f"Bearer {key}"}
    transport = httpx.ASGITransport(app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://gateway", headers=headers, timeout=60) as client,
    ):
        yield client


async def status_at_github(test_app: TestApp, token: str) -> int:
    async with httpx.AsyncClient(headers={"Authorization": f"Bearer {token}"}) as http:
        return (await http.get(f"{test_app.api_base}/installation/repositories")).status_code


async def test_a_token_is_allowed_minted_used_and_revoked(gateway: httpx.AsyncClient, test_app: TestApp) -> None:
    address = f"/v1/tokens/installations/{test_app.installation_id}"
    assert (await gateway.post(address, json=METADATA)).status_code == 403
    assert (await gateway.put("/v1/policies", json={"document": POLICIES})).is_success

    granted = await gateway.post(address, json=METADATA)
    assert granted.status_code == 200, granted.text
    token = granted.json()["token"]
    assert granted.json()["permissions"] == METADATA["permissions"]
    await until(lambda: accepted(test_app, token))
    assert (await gateway.get(address)).json()["token"] == token

    refused = await gateway.post(address, json={"permissions": {"contents": "write"}})
    assert refused.status_code == 403
    assert "metadata: read" in refused.json()["detail"]

    dry_run = (
        await gateway.post(f"{address}/dry-run", json={"permissions": METADATA["permissions"], "probe": True})
    ).json()
    assert dry_run["allowed"]
    assert dry_run["probe"]["minted"]

    audit = (await gateway.get("/v1/tokens/audit", params={"token_sha256": token_sha256(token)})).json()["items"]
    assert [entry["kind"] for entry in audit] == ["grant", "grant"]

    revoked = await gateway.post("/v1/tokens/revoke", json={"installation_id": test_app.installation_id})
    operation = revoked.headers["location"]
    await until(lambda: succeeded(gateway, operation), seconds=60)
    assert await status_at_github(test_app, token) == 401


async def accepted(test_app: TestApp, token: str) -> bool:
    return await status_at_github(test_app, token) == 200  # a replica may not have heard of it yet


async def succeeded(gateway: httpx.AsyncClient, operation: str) -> bool:
    return (await gateway.get(operation)).json()["state"] == "succeeded"
