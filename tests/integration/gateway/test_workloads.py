"""A workload with an OIDC token may ask for installation tokens, and for nothing else."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator

import httpx
import pytest
from redis.asyncio import Redis

from gateway.app import create_app
from shared.domain.operation import Service
from shared.domain.principal import Principal, PrincipalKind
from shared.settings import GatewaySettings
from shared.streams.envelope import Envelope
from shared.streams.keys import ServiceKeys
from tests.integration.auth.issuer import LittleIssuer, running_issuer


@pytest.fixture
def issuer() -> Iterator[LittleIssuer]:
    with running_issuer() as issuer:
        yield issuer


@pytest.fixture
async def workload(settings: GatewaySettings, issuer: LittleIssuer) -> AsyncIterator[httpx.AsyncClient]:
    """A client with an OIDC token, of a gateway that trusts the issuer."""
    app = create_app(settings.model_copy(update={"oidc_issuers": f"https://other.example, {issuer.url}"}))
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        headers = {"Authorization": f"Bearer {issuer.token()}"}
        async with httpx.AsyncClient(transport=transport, base_url="http://gateway", headers=headers) as client:
            yield client


@pytest.mark.parametrize("path", ["/v1/installations", "/v1/campaigns", "/v1/policies", "/v1/audit", "/v1/runs"])
async def test_other_routes_refuse_it_and_say_why(workload: httpx.AsyncClient, path: str) -> None:
    answer = await workload.get(path)
    assert answer.status_code == 401
    assert "an OIDC token can ask for installation tokens alone" in answer.json()["detail"]


async def test_a_token_of_an_issuer_that_is_not_trusted_is_refused(
    client: httpx.AsyncClient, issuer: LittleIssuer
) -> None:
    answer = await client.get("/v1/tokens/installations/7", headers={"Authorization": f"Bearer {issuer.token()}"})
    assert answer.status_code == 401
    assert "no OIDC issuer is trusted here" in answer.json()["detail"]


async def test_an_expired_token_is_refused(workload: httpx.AsyncClient, issuer: LittleIssuer) -> None:
    workload.headers["Authorization"] = f"Bearer {issuer.token(exp=1)}"
    answer = await workload.post("/v1/tokens/installations/7", json={})
    assert answer.status_code == 401
    assert "has expired" in answer.json()["detail"]


async def test_a_token_is_asked_for_in_the_name_that_the_issuer_vouches_for(
    workload: httpx.AsyncClient, issuer: LittleIssuer, redis: Redis
) -> None:
    asking = asyncio.create_task(workload.post("/v1/tokens/installations/7", json={}))
    stream = ServiceKeys(Service.TOKENS).commands
    [(_, [(_, entry)])] = await redis.xread({stream: "0"}, block=10_000)
    asking.cancel()
    [envelope] = entry.values()
    requester = Principal.from_json(Envelope.from_json(envelope).payload["requester"])
    assert (requester.kind, requester.name) == (PrincipalKind.OIDC, issuer.claims()["sub"])
    assert (requester.issuer, requester.claims["repository_owner"]) == (issuer.url, "acme")
