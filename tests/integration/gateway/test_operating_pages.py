"""Pages for operators: what needs somebody is said, with what to do; limits are bars; errors are pages for browsers."""

from __future__ import annotations

from datetime import UTC, datetime

import httpx
import pytest
from redis.asyncio import Redis

from shared.domain.ids import InstallationId
from shared.domain.installation import Installation
from shared.domain.permissions import Level
from shared.domain.roles import Grant, Role
from shared.postgres import installations
from shared.postgres.pool import Pool
from shared.streams.budgets import Budgets, Window
from shared.streams.github_budgets import WRITES, identity_of
from tests.integration.gateway.test_access import make_key

BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
ID = InstallationId(41298374)


@pytest.fixture
async def page(anonymous: httpx.AsyncClient, api_key: str) -> httpx.AsyncClient:
    """Somebody who has signed in to the pages."""
    assert (await anonymous.post("/ui/sign-in", data={"key": api_key})).status_code == 303
    return anonymous


@pytest.fixture
async def troubled(pool: Pool) -> Installation:
    """One that is suspended and lacks a permission."""
    installation = Installation(
        id=ID,
        account="acme",
        account_type="Organization",
        repository_selection="all",
        permissions={"contents": Level.WRITE},
        missing={"pull_requests": Level.WRITE},
        suspended_at=datetime(2026, 3, 1, tzinfo=UTC),
        updated_at=datetime(2026, 3, 1, tzinfo=UTC),
    )
    async with pool.acquire() as conn, conn.transaction():
        await installations.store_installations(conn, [installation], since={})
    return installation


async def test_an_installation_says_what_it_lacks_and_who_mends_it_where(
    page: httpx.AsyncClient, troubled: Installation
) -> None:
    assert "suspended" in (await page.get("/ui/installations")).text
    shown = (await page.get(f"/ui/installations/{ID}")).text
    assert "Suspended since 2026-03-01" in shown
    assert "pull_requests: write" in shown
    assert f'href="https://github.com/organizations/acme/settings/installations/{ID}"' in shown
    assert "write is expected" in shown


async def test_limits_are_shown_as_workers_keep_them_and_as_github_tells(
    page: httpx.AsyncClient, api_key: str, troubled: Installation, redis: Redis
) -> None:
    windows = {"content an hour": Window(500, 3600.0)}
    budgets = Budgets(redis, windows)
    assert await budgets.reserve(identity_of(ID), {"content an hour": 460}) is None
    await budgets.learn(identity_of(ID), "core", limit=5000, remaining=4200, seconds_to_reset=600)
    await budgets.pause(identity_of(ID), seconds=30, lane=WRITES)
    answer = await page.get(f"/v1/installations/{ID}/limits", headers={"Authorization": f"Bearer {api_key}"})
    limits = {each["name"]: each for each in answer.json()["limits"]}
    assert (limits["content an hour"]["left"], limits["content an hour"]["kind"]) == (40, "kept")
    assert (limits["core"]["left"], limits["core"]["kind"]) == (4200, "told")
    assert (limits["content a minute"]["left"], limits["content a minute"]["free_at"]) == (80, None)
    assert (answer.json()["paused_until"], answer.json()["writes_paused_until"] is None) == (None, False)
    shown = (await page.get(f"/ui/installations/{ID}")).text
    assert 'aria-label="content an hour: 40 of 500 left"' in shown
    assert 'class="gauge bad"' in shown
    assert "a pause of writing" in shown
    assert "content an hour" in (await page.get("/ui/installations")).text  # the scarcest


@pytest.mark.parametrize(
    "path",
    [
        "/ui/installations",
        "/ui/streams",
        "/ui/streams/campaigns",
        "/ui/streams/campaigns?show=pending",
        "/ui/streams/campaigns?show=entries",
        "/ui/streams/campaigns?show=workers",
        "/ui/tokens",
        "/ui/tokens?installation_id=1&run_id=019ca8b5-1c00-7a10-8b1e-3d5a0c9f2e11",
        "/ui/tokens/audit?kind=grant&hours=24&installation_id=&run_id=",
        "/ui/policies",
        "/ui/webhooks",
        "/ui/api-keys",
        "/ui/audit",
        "/ui/audit?actor=key:ci&resource=campaigns/x&address=10.0.0.1&part=writes&hours=24&service=",
        "/ui/audit?service=tokens",
        "/ui/me",
        "/ui/health",
    ],
)
async def test_a_page_with_nothing_on_it_says_so(page: httpx.AsyncClient, path: str) -> None:
    answer = await page.get(path)
    assert answer.status_code == 200, answer.text
    assert "style=" not in answer.text
    assert "<h1" in answer.text


async def test_who_looks_at_a_page_is_told_of_errors_by_a_page(page: httpx.AsyncClient, api_key: str) -> None:
    missing = await page.get("/ui/campaigns/nothing", headers=BROWSER)
    assert (missing.status_code, missing.headers["content-type"]) == (404, "text/html; charset=utf-8")
    assert "There is no such page" in missing.text
    wrong = await page.get("/ui/streams/nonsense", headers=BROWSER)
    assert (wrong.status_code, "service" in wrong.text) == (422, True)
    program = await page.get("/ui/campaigns/nothing")
    assert (program.status_code, program.headers["content-type"]) == (404, "application/problem+json")
    key = {"Authorization": f"Bearer {api_key}"}
    of_the_api = await page.get("/v1/campaigns/nothing", headers=BROWSER | key)
    assert (of_the_api.status_code, of_the_api.headers["content-type"]) == (404, "application/problem+json")


async def test_who_may_only_look_is_shown_no_button_and_no_way_to_what_is_not_for_them(
    anonymous: httpx.AsyncClient, pool: Pool, troubled: Installation
) -> None:
    key = await make_key(pool, Grant(Role.VIEWER, "*"))
    assert (await anonymous.post("/ui/sign-in", data={"key": key})).status_code == 303
    shown = (await anonymous.get(f"/ui/installations/{ID}")).text
    assert "What happened" in shown
    assert "data-act" not in shown
    assert 'href="/ui/health"' in shown
    assert 'href="/ui/streams"' not in shown
    refused = await anonymous.get("/ui/streams", headers=BROWSER)
    assert (refused.status_code, "You may not see this" in refused.text) == (403, True)
    assert "everything there" in (await anonymous.get("/ui/me")).text
