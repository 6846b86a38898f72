"""The App signs in as GitHub documents it, whatever its clock says."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from shared.domain.ids import InstallationId
from shared.domain.installation import TokenScope
from shared.domain.permissions import Level
from shared.errors import (
    GitHubLimited,
    GitHubUnauthorized,
    InstallationNotFound,
    InstallationSuspended,
    NotPermitted,
)
from shared.github.app_auth import AppAuth
from shared.github.client import GitHubClient
from tests.github_sandbox import key_ring

KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
PEM = KEY.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()).decode()
REQUEST = TokenScope(installation_id=InstallationId(7), permissions={"contents": Level.WRITE}, repository_ids=(3, 1))
GIVEN = {
    "token": "ghs_16C7e42F292c6912E7710c838347Ae178B4a",
    "expires_at": "2026-03-01T13:00:00Z",
    "permissions": {"contents": "write", "metadata": "read"},
    "repository_selection": "selected",
    "repositories": [{"id": 1}, {"id": 3}],
}


@asynccontextmanager
async def app_at(handler: Callable[[httpx.Request], httpx.Response], pem: str = PEM) -> AsyncIterator[AppAuth]:
    async with httpx.AsyncClient(transport=httpx.MockTransport(handler)) as http:
        yield AppAuth(GitHubClient(http, "https://git.acme.com/api/v3"), app_id="12345", keys=key_ring(pem))


def claims_of(request: httpx.Request, **options: Any) -> dict[str, Any]:
    token = request.headers["authorization"].split(" ")[1]
    return jwt.decode(token, KEY.public_key(), algorithms=["RS256"], **options)


async def test_a_jwt_is_signed_and_dated_as_documented() -> None:
    seen: list[dict[str, Any]] = []

    def handler(request: httpx.Request) -> httpx.Response:
        seen.append(claims_of(request))
        return httpx.Response(200, json={"slug": "octobatch"})

    async with app_at(handler) as app:
        assert (await app.get_app())["slug"] == "octobatch"
    [claims] = seen
    now = datetime.now(UTC).timestamp()
    assert claims["iss"] == "12345"
    assert now - 65 < claims["iat"] <= now - 59
    assert claims["exp"] - claims["iat"] == 600
    assert claims["exp"] <= now + 540


@pytest.mark.parametrize("minutes", [-30, -10, 10, 30])
async def test_a_clock_that_is_off_is_corrected_by_githubs(minutes: int) -> None:
    """GitHub here lives `minutes` from our clock, and refuses as it does."""
    asked: list[int] = []

    def handler(request: httpx.Request) -> httpx.Response:
        asked.append(1)
        theirs = datetime.now(UTC) + timedelta(minutes=minutes)
        claims = claims_of(request, options={"verify_exp": False, "verify_iat": False})
        date = {"date": format_datetime(theirs, usegmt=True)}
        if claims["iat"] > theirs.timestamp():
            message = "'Issued at' claim ('iat') must be an Integer representing the time that the assertion was issued"
            return httpx.Response(401, json={"message": message}, headers=date)
        if not theirs.timestamp() < claims["exp"] <= theirs.timestamp() + 600:
            message = "'Expiration time' claim ('exp') must be a numeric value representing the future time"
            return httpx.Response(401, json={"message": message}, headers=date)
        return httpx.Response(200, json={"slug": "octobatch"}, headers=date)

    async with app_at(handler) as app:
        await app.get_app()
        assert len(asked) == 2
        await app.get_app()
        assert len(asked) == 3  # the offset is remembered


@pytest.mark.parametrize("minutes", [-10, 10])
async def test_a_token_expires_by_our_clock(minutes: int) -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        theirs = datetime.now(UTC) + timedelta(minutes=minutes)
        claims = claims_of(request, options={"verify_exp": False, "verify_iat": False})
        if not claims["iat"] < theirs.timestamp() < claims["exp"]:
            message = "'Expiration time' claim ('exp') must be a numeric value representing the future time"
            date = {"date": format_datetime(theirs, usegmt=True)}
            return httpx.Response(401, json={"message": message}, headers=date)
        return httpx.Response(201, json={**GIVEN, "expires_at": (theirs + timedelta(hours=1)).isoformat()})

    async with app_at(handler) as app:
        token = await app.mint(REQUEST)
    assert abs(token.expires_at - datetime.now(UTC) - timedelta(hours=1)) < timedelta(seconds=5)


async def test_a_wrong_key_says_what_to_check() -> None:
    asked: list[int] = []

    def handler(_: httpx.Request) -> httpx.Response:
        asked.append(1)
        return httpx.Response(401, json={"message": "A JSON web token could not be decoded"})

    async with app_at(handler) as app:
        with pytest.raises(GitHubUnauthorized, match=r"OCTOBATCH_GITHUB_APP_PRIVATE_KEY.*OCTOBATCH_GITHUB_API_BASE"):
            await app.mint(REQUEST)
    assert asked == [1]


async def test_a_wrong_app_id_is_no_missing_installation() -> None:
    async with app_at(lambda _: httpx.Response(404, json={"message": "Integration not found"})) as app:
        with pytest.raises(GitHubUnauthorized, match=r"does not accept the App 12345.*OCTOBATCH_GITHUB_APP_ID"):
            await app.mint(REQUEST)


async def test_one_jwt_serves_many_requests() -> None:
    seen: set[str] = set()

    def handler(request: httpx.Request) -> httpx.Response:
        seen.add(request.headers["authorization"])
        return httpx.Response(200, json={})

    async with app_at(handler) as app:
        for _ in range(5):
            await app.get_app()
    assert len(seen) == 1


async def test_a_token_is_minted_with_just_what_is_asked_for() -> None:
    seen: list[httpx.Request] = []

    def handler(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(201, json=GIVEN)

    async with app_at(handler) as app:
        token = await app.mint(REQUEST)
        await app.mint(TokenScope(installation_id=InstallationId(7)))
    assert seen[0].url.path == "/api/v3/app/installations/7/access_tokens"
    assert json.loads(seen[0].content) == {"permissions": {"contents": "write"}, "repository_ids": [3, 1]}
    assert json.loads(seen[1].content) == {}
    assert token.token == GIVEN["token"]
    assert token.expires_at == datetime(2026, 3, 1, 13, tzinfo=UTC)
    assert token.permissions == {"contents": Level.WRITE, "metadata": Level.READ}
    assert token.repository_selection == "selected"
    assert GIVEN["token"] not in repr(token)


@pytest.mark.parametrize(
    ("status", "message", "kind"),
    [
        (403, "This installation has been suspended", InstallationSuspended),
        (404, "Not Found", InstallationNotFound),
        (422, "The permissions requested are not granted to this installation.", NotPermitted),
        (422, "There is at least one repository that does not exist or is not accessible", NotPermitted),
        (403, "You have exceeded a secondary rate limit.", GitHubLimited),
    ],
)
async def test_each_refusal_of_a_token_has_its_meaning(status: int, message: str, kind: type[Exception]) -> None:
    async with app_at(lambda _: httpx.Response(status, json={"message": message})) as app:
        with pytest.raises(kind):
            await app.mint(REQUEST)


async def test_a_token_is_for_at_most_500_repositories() -> None:
    many = TokenScope(installation_id=InstallationId(7), repository_ids=tuple(range(501)))
    async with app_at(lambda _: httpx.Response(500)) as app:
        with pytest.raises(NotPermitted, match="500"):
            await app.mint(many)


def installation(number: int) -> dict[str, Any]:
    return {
        "id": number,
        "account": {"login": f"org-{number}", "type": "Organization"},
        "target_type": "Organization",
        "repository_selection": "all",
        "permissions": {"contents": "write"},
        "suspended_at": None,
        "updated_at": "2026-01-01T00:00:00Z",
    }


async def test_all_pages_of_installations_are_listed() -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        page = int(request.url.params["page"])
        size = 100 if page < 3 else 1
        return httpx.Response(200, json=[installation(page * 1000 + number) for number in range(size)])

    async with app_at(handler) as app:
        found = await app.list_installations()
    assert len({each.id for each in found}) == 201


async def test_an_account_is_an_organisation_or_a_user() -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/api/v3/users/ann/installation":
            return httpx.Response(200, json=installation(1))
        return httpx.Response(404, json={"message": "Not Found"})

    async with app_at(handler) as app:
        assert (await app.installation_of("ann")).id == 1
        with pytest.raises(InstallationNotFound, match="not installed on bob"):
            await app.installation_of("bob")
