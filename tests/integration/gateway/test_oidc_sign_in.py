"""Signing in to the pages at an OIDC provider: for whom it vouches, and for nobody who makes an answer up."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from pydantic import SecretStr
from redis.asyncio import Redis

from gateway.app import create_app
from gateway.schemas import EXAMPLE_SPEC
from shared.postgres.pool import Pool
from shared.settings import GatewaySettings
from tests.integration.auth.issuer import LittleIssuer
from tests.integration.auth.provider import CLIENT_ID, CLIENT_SECRET, LittleProvider, running_provider

CALLBACK = "/ui/sign-in/oidc/callback"
HTML = {"Accept": "text/html"}


@pytest.fixture
def provider() -> Iterator[LittleProvider]:
    with running_provider() as provider:
        provider.redirect_uri = f"http://gateway{CALLBACK}"
        yield provider


@asynccontextmanager
async def open_browser(settings: GatewaySettings, **changed: Any) -> AsyncIterator[httpx.AsyncClient]:
    app = create_app(settings.model_copy(update=changed))
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://gateway", headers=HTML) as client:
            yield client


def signing_in(provider: LittleProvider) -> dict[str, Any]:
    """Settings of a gateway where the provider's `alice` is an author of `payments`."""
    rule = {"issuer": provider.url, "claims": {"sub": "alice"}, "role": "author", "namespace": "payments"}
    return {
        "public_url": "http://gateway",
        "oidc_sign_in_issuer": provider.url,
        "oidc_sign_in_client_id": CLIENT_ID,
        "oidc_sign_in_client_secret": SecretStr(CLIENT_SECRET),
        "oidc_sign_in_name": "Acme",
        "oidc_grants": json.dumps([rule]),
    }


@pytest.fixture
async def browser(settings: GatewaySettings, provider: LittleProvider) -> AsyncIterator[httpx.AsyncClient]:
    async with open_browser(settings, **signing_in(provider)) as browser:
        yield browser


async def go(browser: httpx.AsyncClient, next_page: str = "/") -> str:
    """To the provider; gives the address that it sends the browser back to."""
    answer = await browser.get("/ui/sign-in/oidc", params={"next": next_page})
    assert answer.status_code == 303
    async with httpx.AsyncClient() as http:
        back = await http.get(answer.headers["location"])
    assert back.status_code == 302
    return back.headers["location"]


async def refusal(browser: httpx.AsyncClient, address: str, status: int = 401) -> str:
    """What a page says of why there is no session."""
    answer = await browser.get(address)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "text/html; charset=utf-8")
    assert "octobatch_session" not in browser.cookies
    assert "octobatch_sign_in" not in browser.cookies
    [told] = re.findall('role="alert">(.+?)</p>', answer.text)
    return told


async def test_who_has_a_grant_is_signed_in_and_goes_on_to_what_they_asked_for(
    browser: httpx.AsyncClient, provider: LittleProvider
) -> None:
    assert ">Sign in with Acme</a>" in (await browser.get("/ui/sign-in?next=/ui/me")).text
    answer = await browser.get(await go(browser, "/ui/me?x=1"))
    assert (answer.status_code, answer.headers["location"]) == (303, "/ui/me?x=1")
    page = (await browser.get("/ui/me")).text
    assert "alice@acme.example" in page
    assert "single sign-on" in page
    me = (await browser.get("/v1/me")).json()
    assert (me["kind"], me["actor"], me["issuer"]) == ("user", "user:alice@acme.example", provider.url)
    assert me["grants"] == [{"role": "author", "namespace": "payments"}]
    token = re.findall('name="csrf-token" content="(.+?)"', page)[0]
    refused = await browser.post("/v1/campaigns", json={"document": EXAMPLE_SPEC}, headers={"X-CSRF-Token": token})
    assert "needs the role author in the namespace default" in refused.json()["detail"]


async def test_each_sign_in_has_its_own_state_nonce_and_challenge(browser: httpx.AsyncClient) -> None:
    first, second = [
        parse_qs(urlsplit((await browser.get("/ui/sign-in/oidc")).headers["location"]).query) for _ in range(2)
    ]
    assert all(first[name] != second[name] for name in ("state", "nonce", "code_challenge"))
    assert first["code_challenge_method"] == ["S256"]


async def test_the_cookie_of_an_attempt_is_short_lived_and_read_by_no_script(
    browser: httpx.AsyncClient, redis: Redis
) -> None:
    answer = await browser.get("/ui/sign-in/oidc")
    name, *attributes = answer.headers["set-cookie"].lower().split("; ")
    assert name.startswith("octobatch_sign_in=")
    assert {"httponly", "samesite=lax", "max-age=600"} < set(attributes)
    [address] = await redis.keys("octobatch:{sign-ins}:*")
    assert 590 < await redis.ttl(address) <= 600
    assert browser.cookies["octobatch_sign_in"] not in address.decode() + (await redis.get(address)).decode()


async def test_under_https_the_cookie_of_an_attempt_is_for_this_host_alone(
    settings: GatewaySettings, provider: LittleProvider
) -> None:
    async with open_browser(settings, **signing_in(provider) | {"public_url": "https://octobatch.example"}) as browser:
        answer = await browser.get("/ui/sign-in/oidc")
    name, *attributes = answer.headers["set-cookie"].lower().split("; ")
    assert name.startswith("__host-octobatch_sign_in=")
    assert {"secure", "httponly", "samesite=lax", "path=/"} < set(attributes)
    asked = parse_qs(urlsplit(answer.headers["location"]).query)
    assert asked["redirect_uri"] == [f"https://octobatch.example{CALLBACK}"]


async def test_a_subject_stands_for_an_address_that_is_not_verified(
    browser: httpx.AsyncClient, provider: LittleProvider
) -> None:
    provider.user |= {"email": "boss@acme.example", "email_verified": False}
    await browser.get(await go(browser))
    assert (await browser.get("/v1/me")).json()["actor"] == "user:alice"


async def test_the_audit_has_who_signed_in_and_who_was_granted_nothing(
    browser: httpx.AsyncClient, provider: LittleProvider, pool: Pool
) -> None:
    await browser.get(await go(browser))
    provider.user = {"sub": "mallory"}
    await browser.get(await go(browser))
    await browser.get(CALLBACK)
    rows = await pool.fetch("SELECT actor, status, row_to_json(audit)::text AS row FROM audit ORDER BY id")
    assert [(each["actor"], each["status"]) for each in rows] == [
        ("user:alice@acme.example", 303),
        ("user:mallory", 403),
    ]
    assert not any("code=" in each["row"] or "state=" in each["row"] for each in rows)


async def test_who_is_granted_nothing_is_told_so(browser: httpx.AsyncClient, provider: LittleProvider) -> None:
    provider.user = {"sub": "mallory"}
    told = await refusal(browser, await go(browser), 403)
    assert f"you are mallory to {provider.url}, and that is granted nothing here" in told


async def test_an_answer_with_another_state_is_refused(browser: httpx.AsyncClient) -> None:
    address = await go(browser)
    assert "belongs to another sign-in" in await refusal(browser, re.sub("state=[^&]+", "state=other", address))
    assert "no sign-in of this browser" in await refusal(browser, address)


async def test_an_answer_to_another_browser_is_refused(browser: httpx.AsyncClient) -> None:
    address = await go(browser)
    browser.cookies.clear()
    assert "no sign-in of this browser" in await refusal(browser, address)
    await go(browser)
    assert "belongs to another sign-in" in await refusal(browser, address)


async def test_an_answer_is_good_once(browser: httpx.AsyncClient) -> None:
    address = await go(browser)
    cookie = {"Cookie": f"octobatch_sign_in={browser.cookies['octobatch_sign_in']}"}
    assert (await browser.get(address)).status_code == 303
    browser.cookies.clear()
    again = await browser.get(address, headers=cookie)
    assert again.status_code == 401
    assert "no sign-in of this browser" in again.text


async def test_a_code_of_another_sign_in_is_refused_by_its_verifier(browser: httpx.AsyncClient) -> None:
    stolen = parse_qs(urlsplit(await go(browser)).query)["code"][0]
    address = re.sub("code=[^&]+", f"code={stolen}", await go(browser))
    assert "does not accept what came back from it (invalid_grant)" in await refusal(browser, address)


async def test_an_id_token_that_is_not_right_signs_nobody_in(
    browser: httpx.AsyncClient, provider: LittleProvider
) -> None:
    now = int(time.time())
    wrong: list[tuple[dict[str, Any], str]] = [
        ({"nonce": "other"}, "made for another sign-in"),
        ({"nonce": None}, "made for another sign-in"),
        ({"nonce": 1}, "made for another sign-in"),
        ({"aud": "another"}, "made for another audience"),
        ({"aud": None}, "has no claim aud"),
        ({"aud": [CLIENT_ID, "another"]}, "made for another client"),
        ({"azp": "another"}, "made for another client"),
        ({"iss": "https://evil.example"}, "issuer is not trusted"),
        ({"exp": now - 120}, "has expired"),
        ({"exp": None}, "has no claim exp"),
        ({"nbf": now + 3600}, "is not valid yet"),
        ({"sub": None}, "has no claim sub"),
    ]
    for changed, reason in wrong:
        provider.changed = changed
        assert reason in await refusal(browser, await go(browser)), changed


async def test_clocks_may_differ_by_a_minute(browser: httpx.AsyncClient, provider: LittleProvider) -> None:
    provider.changed = {"exp": int(time.time()) - 40, "iat": int(time.time()) + 40, "aud": [CLIENT_ID]}
    assert (await browser.get(await go(browser))).status_code == 303


def _unsigned(provider: LittleIssuer, **changed: Any) -> str:
    return jwt.encode(provider.claims(**changed), None, "none", headers={"kid": provider.key_id})


def _with_the_public_key_as_secret(provider: LittleIssuer, **changed: Any) -> str:
    pem = provider.private_key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    parts = ({"alg": "HS256", "kid": provider.key_id}, provider.claims(**changed))
    signed = b".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=") for part in parts)
    signature = hmac.new(pem, signed, hashlib.sha256).digest()
    return b".".join((signed, base64.urlsafe_b64encode(signature).rstrip(b"="))).decode()


async def test_a_forged_id_token_signs_nobody_in(browser: httpx.AsyncClient, provider: LittleProvider) -> None:
    for forge in (_unsigned, _with_the_public_key_as_secret):
        provider.make_id_token = partial(forge, provider)
        assert "must be signed with one of" in await refusal(browser, await go(browser))


async def test_an_answer_from_another_provider_is_refused(browser: httpx.AsyncClient) -> None:
    address = re.sub("iss=[^&]+", "iss=https://evil.example", await go(browser))
    assert "from another provider" in await refusal(browser, address)


async def test_an_error_of_the_provider_is_a_page(browser: httpx.AsyncClient) -> None:
    for error, told in (("access_denied", "access_denied"), ("<script>alert(1)</script>", "no reason given")):
        state = parse_qs(urlsplit(await go(browser)).query)["state"][0]
        answer = await browser.get(CALLBACK, params={"state": state, "error": error, "error_description": "call 555"})
        assert answer.status_code == 401
        assert f"the provider did not sign you in ({told})" in answer.text
        assert "555" not in answer.text
        assert "<script>alert" not in answer.text


async def test_a_provider_that_gives_no_tokens_is_a_page(browser: httpx.AsyncClient, provider: LittleProvider) -> None:
    answers: list[tuple[int, Any, int, str]] = [
        (500, None, 503, "its token endpoint answered 500"),
        (302, None, 503, "its token endpoint answered 302"),
        (200, ["no tokens"], 503, "its token endpoint answered 200"),
        (200, {"access_token": "x"}, 401, "gave no ID token"),
        (200, {"id_token": "x"}, 401, "token that can be read"),
        (401, {"error": "invalid_client"}, 401, "(invalid_client)"),
        (400, {"error": {"a": 1}}, 401, "(no reason given)"),
    ]
    for *answer, status, told in answers:
        provider.token_answer = answer
        assert told in await refusal(browser, await go(browser), status)


async def test_a_provider_that_is_down_is_a_page(browser: httpx.AsyncClient, provider: LittleProvider) -> None:
    provider.is_down = True
    assert f"the OIDC issuer {provider.url} is not available" in await refusal(browser, "/ui/sign-in/oidc", 503)


@pytest.mark.parametrize(
    "changed", [{"authorization_endpoint": "http://evil.example/"}, {"issuer": "https://evil.example"}]
)
async def test_a_provider_is_not_followed_where_nobody_can_be_trusted(
    browser: httpx.AsyncClient, provider: LittleProvider, changed: dict[str, str]
) -> None:
    provider.document |= changed
    assert "not available" in await refusal(browser, "/ui/sign-in/oidc", 503)


async def test_nobody_is_sent_elsewhere_afterwards(browser: httpx.AsyncClient) -> None:
    for elsewhere in ("https://evil.example", "//evil.example", "/\\evil.example", "javascript:x"):
        assert (await browser.get("/ui/sign-in/oidc", params={"next": elsewhere})).status_code == 422


async def test_a_public_client_and_one_with_its_secret_in_the_form_sign_in_as_well(
    settings: GatewaySettings, provider: LittleProvider
) -> None:
    provider.document["token_endpoint_auth_methods_supported"] = ["client_secret_post"]
    async with open_browser(settings, **signing_in(provider)) as browser:
        assert (await browser.get(await go(browser))).status_code == 303
    provider.client_secret = ""
    async with open_browser(settings, **signing_in(provider) | {"oidc_sign_in_client_secret": None}) as browser:
        assert (await browser.get(await go(browser))).status_code == 303


async def test_signing_in_ends_the_session_before(browser: httpx.AsyncClient, api_key: str) -> None:
    await browser.post("/ui/sign-in", data={"key": api_key})
    before = browser.cookies["octobatch_session"]
    await browser.get(await go(browser))
    assert browser.cookies["octobatch_session"] != before
    browser.cookies.clear()
    old = await browser.get("/v1/me", headers={"Cookie": f"octobatch_session={before}"})
    assert old.status_code == 401


async def test_an_id_token_is_no_token_of_the_api(settings: GatewaySettings, provider: LittleProvider) -> None:
    async with open_browser(settings, **signing_in(provider), oidc_issuers=provider.url) as browser:
        token = provider.token(aud=CLIENT_ID, **provider.user)
        answer = await browser.get("/v1/me", headers={"Authorization": f"Bearer {token}"})
        assert answer.status_code == 401
        assert "made for another audience" in answer.json()["detail"]


async def test_without_a_provider_there_is_the_form_alone(anonymous: httpx.AsyncClient) -> None:
    assert "Sign in with" not in (await anonymous.get("/ui/sign-in")).text
    assert "OCTOBATCH_OIDC_SIGN_IN_ISSUER names one" in await refusal(anonymous, "/ui/sign-in/oidc", 404)
    assert "no sign-in of this browser" in await refusal(anonymous, CALLBACK)
