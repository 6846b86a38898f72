"""Tokens are minted as the tokens worker does it: at the sandbox, and by `pytest -m github` at GitHub itself too."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import httpx
import pytest

from shared.clock import utcnow
from shared.domain.installation import TokenScope
from shared.domain.permissions import Level, missing_permissions
from shared.errors import InstallationNotFound, NotPermitted
from shared.github.app_auth import AppAuth
from shared.github.client import GitHubClient
from tests.github.conftest import TestApp

pytestmark = pytest.mark.github

METADATA = {"metadata": Level.READ}
"""What every installation grants."""

SELDOM_GRANTED = ("administration", "secrets", "environments", "pages", "actions", "deployments", "repository_hooks")


async def repositories(client: GitHubClient, token: str) -> list[dict[str, Any]]:
    """What a token may see."""
    found: list[dict[str, Any]] = []
    async for page in client.rest_pages("/installation/repositories", token=token):
        found += page["repositories"]
    return found


async def test_the_app_is_accepted_with_its_key(app: AppAuth, test_app: TestApp) -> None:
    facts = await app.get_app()
    assert test_app.app_id in {str(facts["id"]), facts.get("client_id")}
    assert test_app.installation_id in {each.id for each in await app.list_installations()}


async def test_a_token_without_a_wish_has_all_that_the_installation_grants(
    app: AppAuth, client: GitHubClient, test_app: TestApp
) -> None:
    installation = await app.get_installation(test_app.installation_id)
    token = await app.mint(TokenScope(installation_id=installation.id))
    assert dict(token.permissions) == dict(installation.permissions)
    assert token.repository_selection == installation.repository_selection
    assert timedelta(minutes=55) < token.expires_at - utcnow() <= timedelta(minutes=61)
    assert await repositories(client, token.token)


async def test_a_token_for_fewer_permissions_has_only_them(
    app: AppAuth, client: GitHubClient, test_app: TestApp
) -> None:
    token = await app.mint(TokenScope(installation_id=test_app.installation_id, permissions=METADATA))
    assert dict(token.permissions) == METADATA
    assert await repositories(client, token.token)


async def test_a_token_for_one_repository_sees_no_other(app: AppAuth, client: GitHubClient, test_app: TestApp) -> None:
    everything = await app.mint(TokenScope(installation_id=test_app.installation_id, permissions=METADATA))
    wanted = (await repositories(client, everything.token))[-1]
    scope = TokenScope(
        installation_id=test_app.installation_id, permissions=METADATA, repository_ids=(int(wanted["id"]),)
    )
    token = await app.mint(scope)
    assert token.repository_selection == "selected"
    assert [each["full_name"] for each in await repositories(client, token.token)] == [wanted["full_name"]]


async def test_more_than_is_granted_is_refused(app: AppAuth, test_app: TestApp) -> None:
    granted = (await app.get_installation(test_app.installation_id)).permissions
    wanted = missing_permissions(dict.fromkeys(SELDOM_GRANTED, Level.WRITE), granted)
    assert wanted, "the test App is granted too much: take write from it for one of " + ", ".join(SELDOM_GRANTED)
    resource, level = next(iter(wanted.items()))
    with pytest.raises(NotPermitted):
        await app.mint(TokenScope(installation_id=test_app.installation_id, permissions={resource: level}))


async def test_a_repository_of_somebody_else_is_refused(app: AppAuth, test_app: TestApp) -> None:
    nobodys = 2**31 - 1
    with pytest.raises(NotPermitted):
        await app.mint(TokenScope(installation_id=test_app.installation_id, repository_ids=(nobodys,)))


async def test_an_installation_of_nobody_is_not_found(app: AppAuth, test_app: TestApp) -> None:
    nobodys = type(test_app.installation_id)(2**31 - 1)
    with pytest.raises(InstallationNotFound):
        await app.mint(TokenScope(installation_id=nobodys))


async def test_a_revoked_token_is_accepted_no_more(app: AppAuth, client: GitHubClient, test_app: TestApp) -> None:
    token = await app.mint(TokenScope(installation_id=test_app.installation_id, permissions=METADATA))
    assert await repositories(client, token.token)
    await client.rest("DELETE", "/installation/token", token=token.token)
    headers = {"authorization": f"Bearer {token.token}"}
    async with httpx.AsyncClient(headers=headers) as http:  # our client would take the refusal for a replica's lag
        refused = await http.get(f"{client.addresses.rest}/installation/repositories")
    assert refused.status_code == 401
