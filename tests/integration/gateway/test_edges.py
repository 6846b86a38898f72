"""Webhooks, pages and event streams."""

from __future__ import annotations

import hashlib
import hmac
import json
import re

import httpx
import pytest
from jsonschema import Draft202012Validator

from gateway.schemas import EXAMPLE_SPEC
from shared.postgres import targets
from shared.postgres.pool import Pool
from tests.integration.campaigns.rows import insert_campaign, insert_run, make_target

from .conftest import WEBHOOK_SECRET


def signed(
    payload: object, *, secret: str = WEBHOOK_SECRET, delivery: str = "one", event: str = "pull_request"
) -> tuple[bytes, dict[str, str]]:
    body = json.dumps(payload).encode()
    signature = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return body, {
        "X-GitHub-Event": event,
        "X-GitHub-Delivery": delivery,
        "X-Hub-Signature-256": f"sha256={signature}",
    }


async def test_a_delivery_is_taken_in_once(anonymous: httpx.AsyncClient, pool: Pool) -> None:
    body, headers = signed({"action": "closed", "installation": {"id": 7}})
    for _ in range(3):
        assert (await anonymous.post("/webhooks/github", content=body, headers=headers)).status_code == 202
    assert await pool.fetchval("SELECT count(*) FROM operations WHERE type = 'handle_webhook'") == 1


async def test_a_push_to_a_base_branch_has_its_pull_requests_asked_for_first(
    anonymous: httpx.AsyncClient, pool: Pool
) -> None:
    async with pool.acquire() as conn:
        campaign_id = await insert_campaign(conn)
        run_id = await insert_run(conn, campaign_id)
        planned = [make_target(run_id, campaign_id, base_branch=branch) for branch in ("main", "next")]
        await targets.insert_targets(conn, planned)
    await pool.execute("UPDATE targets SET state = 'open', checked_at = now(), pull_request_node_id = 'PR'")
    body, headers = signed({"ref": "refs/heads/next", "repository": {"node_id": "R_1"}}, event="push")
    assert (await anonymous.post("/webhooks/github", content=body, headers=headers)).status_code == 202
    asked_first = await pool.fetch("SELECT base_branch FROM targets WHERE checked_at IS NULL")
    assert [row["base_branch"] for row in asked_first] == ["next"]


async def test_a_forged_delivery_is_refused(anonymous: httpx.AsyncClient, pool: Pool) -> None:
    body, headers = signed({"action": "closed"}, secret="a guess")
    assert (await anonymous.post("/webhooks/github", content=body, headers=headers)).status_code == 401
    assert await pool.fetchval("SELECT count(*) FROM webhook_deliveries") == 0


async def test_a_delivery_that_is_no_object_is_refused(anonymous: httpx.AsyncClient) -> None:
    body, headers = signed([1, 2])
    assert (await anonymous.post("/webhooks/github", content=body, headers=headers)).status_code == 422


async def test_a_finished_run_is_told_whole_and_ends(client: httpx.AsyncClient) -> None:
    await client.post("/v1/campaigns", json={"document": EXAMPLE_SPEC})
    run_id = (await client.post("/v1/campaigns/add-security-policy/runs", json={})).json()["run"]["id"]
    await client.post(f"/v1/runs/{run_id}/cancel")
    answer = await client.get(f"/v1/runs/{run_id}/events")
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert (answer.headers["cache-control"], answer.headers["x-accel-buffering"]) == ("no-store", "no")
    assert "event: snapshot" in answer.text
    assert '"state":"cancelled"' in answer.text
    assert answer.text.rstrip().endswith("event: end\ndata: {}")


@pytest.mark.parametrize("path", ["/", "/ui/campaigns/add-security-policy"])
async def test_pages_ask_to_sign_in(client: httpx.AsyncClient, path: str) -> None:
    await client.post("/v1/campaigns", json={"document": EXAMPLE_SPEC})
    answer = await client.get(path)
    assert (answer.status_code, answer.headers["location"]) == (303, f"/ui/sign-in?next={path}")


async def test_who_signed_in_sees_campaigns_and_runs(client: httpx.AsyncClient, api_key: str) -> None:
    await client.post("/v1/campaigns", json={"document": EXAMPLE_SPEC})
    run_id = (await client.post("/v1/campaigns/add-security-policy/runs", json={})).json()["run"]["id"]
    refused = await client.post("/ui/sign-in", data={"key": "obk_wrong"})
    assert refused.status_code == 401
    signed_in = await client.post("/ui/sign-in", data={"key": api_key})
    assert signed_in.status_code == 303
    assert "httponly" in signed_in.headers["set-cookie"].lower()
    assert "add-security-policy" in (await client.get("/")).text
    assert "Say how to report" in (await client.get("/ui/campaigns/add-security-policy")).text
    page = await client.get(f"/ui/runs/{run_id}", params={"state": "", "repository": "acme"})
    assert (page.status_code, "selecting" in page.text) == (200, True)
    token = re.findall('name="csrf_token" value="(.+?)"', page.text)[0]
    await client.post("/ui/sign-out", data={"csrf_token": token})
    assert (await client.get("/")).status_code == 303


async def test_the_reference_names_every_route(anonymous: httpx.AsyncClient) -> None:
    answer = await anonymous.get("/docs")
    assert answer.status_code == 200
    assert "/v1/campaigns/{name}/runs" in answer.text


async def test_the_description_has_a_valid_example_of_every_schema(anonymous: httpx.AsyncClient) -> None:
    api = (await anonymous.get("/openapi.json")).json()
    models = {name: schema for name, schema in api["components"]["schemas"].items() if schema["type"] == "object"}
    lacking = {name for name, schema in models.items() if "examples" not in str(schema)}
    assert lacking == {"Problem", "InvalidField"}  # their examples stand at the answers
    for name, schema in models.items():
        for example in schema.get("examples", []):
            Draft202012Validator({**api, "$ref": f"#/components/schemas/{name}"}).validate(example)


async def test_problems_are_described_as_they_are_answered(client: httpx.AsyncClient) -> None:
    api = (await client.get("/openapi.json")).json()
    problem = Draft202012Validator({**api, "$ref": "#/components/schemas/Problem"})
    refused = await client.post("/v1/campaigns", json={"document": "version: 1\n"})
    missing = await client.get("/v1/campaigns/nothing")
    assert (refused.status_code, missing.status_code) == (422, 404)
    for answer, operation in (
        (refused, api["paths"]["/v1/campaigns"]["post"]),
        (missing, api["paths"]["/v1/campaigns/{name}"]["get"]),
    ):
        [media_type] = operation["responses"][str(answer.status_code)]["content"]
        assert answer.headers["content-type"] == media_type
        problem.validate(answer.json())


async def test_every_answer_has_security_headers(anonymous: httpx.AsyncClient) -> None:
    answer = await anonymous.get("/livez")
    assert answer.headers["x-content-type-options"] == "nosniff"
    policy = answer.headers["content-security-policy"].split("; ")
    assert {"default-src 'none'", "script-src 'self'", "frame-ancestors 'none'", "base-uri 'none'"} < set(policy)
    assert "unsafe" not in answer.headers["content-security-policy"]
    assert answer.headers["cross-origin-opener-policy"] == "same-origin"
    assert "strict-transport-security" not in answer.headers


@pytest.mark.parametrize("path", ["/v1/runs?campaign=%00", "/v1/campaigns/a%00b", "/v1/selections?name=%00"])
async def test_an_address_with_nul_is_refused(client: httpx.AsyncClient, path: str) -> None:
    answer = await client.get(path)
    assert (answer.status_code, answer.json()["type"]) == (422, "/problems/invalid-input")


async def test_a_body_of_unknown_length_or_too_large_is_refused(client: httpx.AsyncClient) -> None:
    answer = await client.post("/v1/campaigns", content=b"{}", headers={"Content-Length": "99999999"})
    assert (answer.status_code, answer.json()["type"]) == (413, "/problems/too-large")


async def test_who_one_is_says_what_one_may_do(client: httpx.AsyncClient) -> None:
    me = (await client.get("/v1/me")).json()
    assert (me["actor"], me["grants"]) == ("key:bootstrap", [{"role": "admin", "namespace": "*"}])
    assert me["scopes"] == ["read", "tokens", "write"]
