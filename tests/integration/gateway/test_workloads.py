"""A workload with an OIDC token may ask for installation tokens, and for what its claims are granted."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator

import httpx
import pytest
from redis.asyncio import Redis

from gateway.app import create_app
from gateway.schemas import EXAMPLE_SPEC
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
    """A client with an OIDC token, of a gateway that trusts the issuer, and grants roles to some groups."""
    rule = {"issuer": issuer.url, "claims": {"groups": "payments-.*"}, "role": "author", "namespace": "payments"}
    trusted = {"oidc_issuers": f"https://other.example, {issuer.url}", "oidc_grants": json.dumps([rule])}
    app = create_app(settings.model_copy(update=trusted))
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        headers = {"Authorization": f"Bearer {issuer.token()}"}
        async with httpx.AsyncClient(transport=transport, base_url="http://gateway", headers=headers) as client:
            yield client


@pytest.mark.parametrize("path", ["/v1/installations", "/v1/campaigns", "/v1/policies", "/v1/audit", "/v1/runs"])
async def test_other_routes_refuse_it_and_say_why(workload: httpx.AsyncClient, path: str) -> None:
    answer = await workload.get(path)
    assert (answer.status_code, answer.json()["type"]) == (403, "/problems/not-permitted")
    assert "an OIDC token without a grant can ask for installation tokens alone" in answer.json()["detail"]


async def test_a_group_has_the_role_that_its_rule_says_where_it_says(
    workload: httpx.AsyncClient, issuer: LittleIssuer
) -> None:
    workload.headers["Authorization"] = f"Bearer {issuer.token(groups=['everybody', 'payments-team'])}"
    me = (await workload.get("/v1/me")).json()
    assert (me["kind"], me["grants"]) == ("oidc", [{"role": "author", "namespace": "payments"}])
    ours = {"document": EXAMPLE_SPEC.replace("version: 1\n", "version: 1\nnamespace: payments\n")}
    made = await workload.post("/v1/campaigns", json=ours)
    assert (made.status_code, made.json()["created_by"]) == (201, f"oidc:{issuer.claims()['sub']}")
    refused = await workload.post("/v1/campaigns", json={"document": EXAMPLE_SPEC})
    assert refused.status_code == 403
    assert "needs the role author in the namespace default" in refused.json()["detail"]
    assert (await workload.get("/v1/installations")).status_code == 403


async def test_another_group_has_nothing(workload: httpx.AsyncClient, issuer: LittleIssuer) -> None:
    for groups in (["search"], "not-payments-team", ["payments-a\nx"], {"payments-team": True}, None):
        workload.headers["Authorization"] = f"Bearer {issuer.token(groups=groups)}"
        assert (await workload.get("/v1/campaigns")).status_code == 403, groups


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
