"""Drift as Prometheus sees it: right in every process of the tokens worker."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from redis.asyncio import Redis

from sandbox.embedded.servers import free_port
from sandbox.github.first_start import PERMISSIONS
from shared.domain.permissions import parse_permissions, permissions_text
from shared.streams.installations import SYNC_INSTALLATIONS, ask_about_installations
from shared.streams.requests import Requests
from tests.integration.installations.conftest import Org
from tests.worker_bench import WorkerProcess, bench_environment, until

PORTS = 2


@pytest.fixture
def addresses(
    dsn: str, redis: Redis, redis_url: str, blobs_folder: Path, tmp_path: Path, org: Org
) -> Iterator[list[str]]:
    """Where two tokens workers serve their metrics; they start when the installation lacks a permission."""
    org.change(permissions={**PERMISSIONS, "pull_requests": "read"})
    key = tmp_path / "app.pem"
    key.write_text(org.github.private_key)
    environment = bench_environment(dsn, redis_url, blobs_folder) | {
        "OCTOBATCH_GITHUB_API_BASE": org.github.api_base,
        "OCTOBATCH_GITHUB_APP_ID": str(org.github.app_id),
        "OCTOBATCH_GITHUB_APP_PRIVATE_KEY_FILE": str(key),
        "OCTOBATCH_GITHUB_APP_PERMISSIONS": permissions_text(parse_permissions(PERMISSIONS)),
    }
    ports = [free_port() for _ in range(PORTS)]
    workers = [
        WorkerProcess(
            tmp_path / f"tokens-{port}.log",
            environment | {"OCTOBATCH_HEALTH_PORT": str(port)},
            [sys.executable, "-m", "workers", "tokens"],
        )
        for port in ports
    ]
    yield [f"http://127.0.0.1:{port}/metrics" for port in ports]
    for worker in workers:
        worker.kill()


async def test_every_process_shows_drift_and_its_end(addresses: list[str], org: Org, redis: Redis) -> None:
    line = (
        f'octobatch_installation_permission_drift{{account="{org.login}",kind="missing",resource="pull_requests"}} 1.0'
    )

    async def all_show(*, wanted: bool) -> bool:
        async with httpx.AsyncClient(trust_env=False) as client:
            try:
                pages = [(await client.get(address)).text for address in addresses]
            except httpx.TransportError:
                return False
        return all((line in page.splitlines()) is wanted for page in pages)

    await until(lambda: all_show(wanted=True), seconds=40)
    org.change(permissions=PERMISSIONS)
    synced = await ask_about_installations(Requests(redis), SYNC_INSTALLATIONS, {})  # one of the two is asked
    assert synced["changes"] == 1
    await until(lambda: all_show(wanted=False), seconds=40)


async def test_a_worker_is_ready_while_github_is_away_but_not_without_its_key(
    dsn: str, redis: Redis, redis_url: str, blobs_folder: Path, tmp_path: Path, org: Org
) -> None:
    key = tmp_path / "app.pem"
    key.write_text(org.github.private_key)
    port = free_port()
    environment = bench_environment(dsn, redis_url, blobs_folder) | {
        "OCTOBATCH_GITHUB_API_BASE": org.github.api_base,
        "OCTOBATCH_GITHUB_APP_ID": str(org.github.app_id),
        "OCTOBATCH_GITHUB_APP_PRIVATE_KEY_FILE": str(key),
        "OCTOBATCH_HEALTH_PORT": str(port),
    }

    def wrong() -> dict[str, str] | None:
        try:
            report = httpx.get(f"http://127.0.0.1:{port}/readyz", timeout=5, trust_env=False).json()
        except httpx.TransportError:
            return None
        return {each["name"]: each["detail"] for each in report["checks"] if not each["is_healthy"]}

    fault = {"kind": "status", "status": 502, "surface": "rest", "match": "/app/installations", "count": None}
    org.github.ask("PUT", "faults", [fault])
    worker = WorkerProcess(tmp_path / "tokens.log", environment, [sys.executable, "-m", "workers", "tokens"])
    try:
        await until(lambda: wrong() == {}, seconds=40)
        key.unlink()
        await until(lambda: list(wrong() or {}) == ["app_key"])
    finally:
        worker.kill()
