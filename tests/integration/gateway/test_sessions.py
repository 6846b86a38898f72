"""Sessions of the pages: what they may write, and when they end."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

import httpx
import pytest
from redis.asyncio import Redis

from gateway.app import create_app
from gateway.schemas import EXAMPLE_SPEC
from shared.postgres.pool import Pool
from shared.settings import GatewaySettings

SPEC = {"document": EXAMPLE_SPEC}


async def sign_in(client: httpx.AsyncClient, api_key: str) -> str:
    """Signs the client in; gives the token of the session."""
    assert (await client.post("/ui/sign-in", data={"key": api_key})).status_code == 303
    return re.findall('name="csrf-token" content="(.+?)"', (await client.get("/")).text)[0]


async def test_a_session_writes_with_its_token(anonymous: httpx.AsyncClient, api_key: str) -> None:
    token = await sign_in(anonymous, api_key)
    assert (await anonymous.get("/v1/campaigns")).status_code == 200
    refused = await anonymous.post("/v1/campaigns", json=SPEC)
    assert (refused.status_code, refused.json()["type"]) == (403, "/problems/not-permitted")
    written = await anonymous.post("/v1/campaigns", json=SPEC, headers={"X-CSRF-Token": token})
    assert (written.status_code, written.json()["created_by"]) == (201, "key:bootstrap")


async def test_the_token_of_another_session_is_refused(anonymous: httpx.AsyncClient, api_key: str) -> None:
    first = await sign_in(anonymous, api_key)
    second = await sign_in(anonymous, api_key)
    assert (await anonymous.post("/v1/campaigns", json=SPEC, headers={"X-CSRF-Token": first})).status_code == 403
    assert (await anonymous.post("/v1/campaigns", json=SPEC, headers={"X-CSRF-Token": second})).status_code == 201


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
    ],
)
async def test_what_another_site_asks_for_is_refused(
    anonymous: httpx.AsyncClient, api_key: str, headers: dict[str, str]
) -> None:
    token = await sign_in(anonymous, api_key)
    refused = await anonymous.post("/v1/campaigns", json=SPEC, headers={"X-CSRF-Token": token, **headers})
    assert "another site's page" in refused.json()["detail"]
    assert (await anonymous.post("/ui/sign-in", data={"key": api_key}, headers=headers)).status_code == 403


async def test_an_api_key_needs_no_token(client: httpx.AsyncClient) -> None:
    answer = await client.post("/v1/campaigns", json=SPEC, headers={"Origin": "https://portal.example"})
    assert answer.status_code == 201


async def test_a_session_gets_no_installation_token(anonymous: httpx.AsyncClient, api_key: str) -> None:
    await sign_in(anonymous, api_key)
    assert (await anonymous.get("/v1/tokens/installations/7")).status_code == 401


async def test_signing_in_gives_a_new_session_and_ends_the_one_before(
    anonymous: httpx.AsyncClient, api_key: str
) -> None:
    await sign_in(anonymous, api_key)
    before = anonymous.cookies["octobatch_session"]
    await sign_in(anonymous, api_key)
    assert anonymous.cookies["octobatch_session"] != before
    anonymous.cookies.clear()
    refused = await anonymous.get("/v1/campaigns", headers={"Cookie": f"octobatch_session={before}"})
    assert refused.status_code == 401


async def test_a_session_ends_with_its_key(anonymous: httpx.AsyncClient, api_key: str, pool: Pool) -> None:
    await sign_in(anonymous, api_key)
    await pool.execute("UPDATE api_keys SET revoked_at = now()")
    assert (await anonymous.get("/v1/campaigns")).status_code == 401


async def test_a_session_ends_when_it_is_old_or_unused(
    anonymous: httpx.AsyncClient, api_key: str, redis: Redis
) -> None:
    await sign_in(anonymous, api_key)
    [address] = await redis.keys("octobatch:{sessions}:*")
    assert 7000 < await redis.ttl(address) <= 7200
    kept = (await redis.get(address)).decode()
    await redis.set(address, re.sub(r'"ends_at": [\d.]+', '"ends_at": 1', kept), ex=100)
    assert (await anonymous.get("/v1/campaigns")).status_code == 401


async def test_what_redis_keeps_opens_no_session(anonymous: httpx.AsyncClient, api_key: str, redis: Redis) -> None:
    await sign_in(anonymous, api_key)
    [address] = await redis.keys("octobatch:{sessions}:*")
    assert anonymous.cookies["octobatch_session"] not in address.decode() + (await redis.get(address)).decode()


@pytest.fixture
async def secure(settings: GatewaySettings) -> AsyncIterator[httpx.AsyncClient]:
    app = create_app(settings.model_copy(update={"public_url": "https://octobatch.example"}))
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="https://octobatch.example") as client:
            yield client


async def test_the_cookie_is_for_this_host_alone(secure: httpx.AsyncClient, api_key: str) -> None:
    answer = await secure.post("/ui/sign-in", data={"key": api_key}, headers={"Origin": "https://octobatch.example"})
    assert answer.headers["strict-transport-security"].startswith("max-age=")
    name, *attributes = answer.headers["set-cookie"].lower().split("; ")
    assert name.startswith("__host-octobatch_session=")
    assert {"secure", "httponly", "samesite=lax", "path=/"} < set(attributes)
    assert not any(each.startswith("domain") for each in attributes)
