"""The App, before a GitHub that judges its JWTs and tokens as GitHub does."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import uuid4

import pytest

from shared.clock import utcnow
from shared.domain.ids import InstallationId
from shared.domain.installation import TokenScope
from shared.errors import InstallationSuspended
from shared.github.app_auth import AppAuth
from shared.github.client import GitHubClient
from tests.github_sandbox import RunningSandbox, key_ring


@pytest.fixture
async def client(github: RunningSandbox) -> AsyncIterator[GitHubClient]:
    async with GitHubClient.open(base_url=github.api_base, timeout_seconds=30) as client:
        yield client


@pytest.fixture
def app(github: RunningSandbox, client: GitHubClient) -> AppAuth:
    return AppAuth(client, app_id=str(github.app_id), keys=key_ring(github.private_key))


@pytest.fixture
def installation_id(github: RunningSandbox) -> InstallationId:
    return InstallationId(github.add_organization(f"org-{uuid4().hex[:12]}"))


async def test_a_revoked_token_is_good_for_nothing_and_can_be_revoked_again(
    github: RunningSandbox, app: AppAuth, client: GitHubClient, installation_id: InstallationId
) -> None:
    minted = await app.mint(TokenScope(installation_id=installation_id))
    await client.rest("GET", "/installation/repositories", token=minted.token)
    await app.revoke(minted.token)
    github.ask("DELETE", "counters")
    await app.revoke(minted.token)
    assert github.ask("GET", "counters") == {"rest DELETE /installation/token": 1}
    with github.client(minted.token) as rest:
        assert rest.get("installation/repositories").status_code == 401


async def test_an_expired_token_counts_as_revoked(
    github: RunningSandbox, app: AppAuth, installation_id: InstallationId
) -> None:
    github.ask("PATCH", "settings", {"token_lifetime_seconds": 0.001})
    minted = await app.mint(TokenScope(installation_id=installation_id))
    await app.revoke(minted.token)


async def test_a_young_token_is_revoked_on_replicas_that_have_not_heard_of_it_yet(
    github: RunningSandbox, app: AppAuth, installation_id: InstallationId
) -> None:
    github.ask("POST", "faults", {"kind": "replication_lag", "seconds": 1})
    minted = await app.mint(TokenScope(installation_id=installation_id))
    await app.revoke(minted.token, minted_at=minted.minted_at)
    github.ask("DELETE", "faults")
    with github.client(minted.token) as rest:
        assert rest.get("installation/repositories").status_code == 401


async def test_a_token_of_a_suspended_installation_is_not_said_to_be_revoked(
    github: RunningSandbox, app: AppAuth, installation_id: InstallationId
) -> None:
    minted = await app.mint(TokenScope(installation_id=installation_id))
    github.ask("PATCH", f"installations/{installation_id}", {"suspended": True})
    with pytest.raises(InstallationSuspended):
        await app.revoke(minted.token, minted_at=utcnow() - timedelta(minutes=1))


async def test_the_app_knows_where_its_webhooks_go(github: RunningSandbox, app: AppAuth) -> None:
    github.ask("PATCH", "settings", {"webhook_url": "http://127.0.0.1:1/webhooks"})
    config = await app.hook_config()
    assert (config["url"], config["content_type"], config["insecure_ssl"]) == (
        "http://127.0.0.1:1/webhooks",
        "json",
        "0",
    )
