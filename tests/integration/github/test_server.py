"""What kind of GitHub is at an address, and the version of its API that is spoken with it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import uuid4

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from shared.domain.ids import InstallationId
from shared.domain.installation import TokenScope
from shared.errors import GitHubInvalid, GitHubUnavailable
from shared.github.api_versions import choose, versions_in
from shared.github.app_auth import AppAuth
from shared.github.client import GitHubClient
from shared.github.server import identify
from tests.github_sandbox import RunningSandbox, key_ring

PEM = (
    rsa.generate_private_key(public_exponent=65537, key_size=2048)
    .private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    .decode()
)


@pytest.fixture
async def client(github: RunningSandbox) -> AsyncIterator[GitHubClient]:
    async with GitHubClient.open(base_url=github.api_base, timeout_seconds=30) as client:
        yield client


async def test_a_server_is_identified(github: RunningSandbox, client: GitHubClient) -> None:
    github.ask("PATCH", "settings", {"clock_skew_seconds": 600})
    facts = await identify(client)
    assert (facts.enterprise_version, facts.is_private) == ("3.19.0", False)
    assert (facts.api_versions, facts.api_version) == (("2022-11-28", "2026-03-10"), "2022-11-28")
    assert facts.clock_offset
    assert abs(facts.clock_offset - timedelta(minutes=10)) < timedelta(seconds=5)


async def test_a_server_in_private_mode_is_reachable_and_tells_more_to_who_signs_in(
    github: RunningSandbox, client: GitHubClient
) -> None:
    github.ask("PATCH", "settings", {"private_mode": True, "api_versions": ["2026-03-10"]})
    facts = await identify(client)
    assert (facts.is_private, facts.enterprise_version, facts.api_versions) == (True, "3.19.0", ())
    facts = await identify(client, token=github.jwt())
    assert (facts.is_private, facts.api_version) == (True, "2026-03-10")


async def test_what_is_no_github_is_not_taken_for_one(github: RunningSandbox) -> None:
    async with GitHubClient.open(base_url=f"{github.url}/elsewhere", timeout_seconds=5) as client:
        with pytest.raises(GitHubUnavailable, match="answers with 404"):
            await identify(client)


async def test_an_address_that_leads_elsewhere_says_where() -> None:
    moved = httpx.MockTransport(lambda _: httpx.Response(301, headers={"location": "https://git.acme.com/api/v3/"}))
    async with httpx.AsyncClient(transport=moved) as http:
        with pytest.raises(GitHubUnavailable, match=r"leads to https://git\.acme\.com/api/v3/: set OCTOBATCH_GITHUB_"):
            await identify(GitHubClient(http, "http://git.acme.com"))


async def test_a_server_that_speaks_only_a_newer_version_is_spoken_to_in_that(
    github: RunningSandbox, client: GitHubClient
) -> None:
    installation_id = InstallationId(github.add_organization(f"org-{uuid4().hex[:12]}"))
    github.ask("PATCH", "settings", {"api_versions": ["2025-01-01", "2026-03-10"]})
    app = AppAuth(client, app_id=str(github.app_id), keys=key_ring(github.private_key))
    minted = await app.mint(TokenScope(installation_id=installation_id))
    assert client.api_version == "2026-03-10"
    github.ask("DELETE", "counters")
    await client.rest("GET", "/installation/repositories", token=minted.token)
    assert github.ask("GET", "counters") == {"rest GET /installation/repositories": 1}


@pytest.mark.parametrize("status", [400, 410])
async def test_a_version_that_no_other_can_replace_is_one_clear_error_also_of_a_mint(status: int) -> None:
    asked: list[str] = []

    def handler(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.path)
        if request.url.path == "/api/v3/versions":
            return httpx.Response(200, json=["2022-11-28"])
        return httpx.Response(status, json={"message": "API version 2022-11-28 is no longer supported"})

    async with httpx.AsyncClient(transport=httpx.MockTransport(handler)) as http:
        client = GitHubClient(http, "https://git.acme.com")
        app = AppAuth(client, app_id="1", keys=key_ring(PEM))
        with pytest.raises(GitHubInvalid, match=r"git\.acme\.com no longer takes version 2022-11-28 .*newer Octobatch"):
            await app.mint(TokenScope(installation_id=InstallationId(7)))
    assert asked == ["/api/v3/app/installations/7/access_tokens", "/api/v3/versions"]


async def test_where_the_server_tells_no_versions_requests_name_none() -> None:
    named: list[str | None] = []

    def handler(request: httpx.Request) -> httpx.Response:
        version = request.headers.get("x-github-api-version")
        if request.url.path == "/api/v3/versions":
            return httpx.Response(404, json={"message": "Not Found"})
        named.append(version)
        if version:
            return httpx.Response(400, json={"message": "no such X-GitHub-Api-Version"})
        return httpx.Response(200, json={})

    async with httpx.AsyncClient(transport=httpx.MockTransport(handler)) as http:
        client = GitHubClient(http, "https://git.acme.com")
        for _ in range(2):
            await client.rest("GET", "/meta", token="")
    assert named == ["2022-11-28", None, None]


@pytest.mark.parametrize(
    ("supported", "chosen"),
    [
        (["2022-11-28", "2026-03-10"], "2022-11-28"),
        (["2026-03-10", "2025-01-01"], "2026-03-10"),
        ([], None),
    ],
)
def test_the_version_is_ours_else_the_newest_else_none(supported: list[str], chosen: str | None) -> None:
    assert choose(supported) == chosen


@pytest.mark.parametrize("body", [None, {}, "2022-11-28", [1], [None], ["tomorrow"]])
def test_what_is_no_list_of_versions_is_none(body: object) -> None:
    assert versions_in(body) == ()
