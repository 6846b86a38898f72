"""The audit of writes: each has a row that says who, from where, what and with which result, and nothing secret."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from prometheus_client import REGISTRY

from gateway.access.auditing import LEFT_OUT, READING, resource_of
from gateway.access.rules import RULES, Of
from gateway.app import create_app
from gateway.schemas import EXAMPLE_SPEC
from shared.domain.roles import Grant, Role
from shared.postgres.pool import Pool
from shared.settings import GatewaySettings
from tests.integration.gateway.test_access import OURS, make_key, make_things, spec_in
from tests.integration.gateway.test_sessions import sign_in

CAMPAIGN = "campaigns/add-security-policy"
LOST = "octobatch_api_audit_rows_lost_total"


async def rows(client: httpx.AsyncClient, **asked: str) -> list[dict[str, Any]]:
    answer = await client.get("/v1/audit", params=asked)
    assert answer.status_code == 200, answer.text
    return answer.json()["items"]


async def rows_in(pool: Pool) -> list[dict[str, Any]]:
    return [dict(each) for each in await pool.fetch("SELECT * FROM audit ORDER BY id")]


def test_what_is_left_out_is_a_route_that_is_no_get() -> None:
    assert LEFT_OUT.keys() <= {line for line in RULES if line.split(" ")[0] not in READING}
    assert all(LEFT_OUT.values())


@pytest.mark.parametrize(
    ("route", "path", "resource"),
    [
        ("/v1/campaigns/{name}/pause", "/v1/campaigns/rename-ci/pause", "campaigns/rename-ci"),
        ("/v1/campaigns", "/v1/campaigns", "campaigns"),
        ("/v1/streams/{service}/purge", "/v1/streams/tokens/purge", "streams/tokens"),
        (
            "/v1/webhook-endpoints/{endpoint_id}/deliveries/{message_id}/redeliver",
            "/v1/webhook-endpoints/a/deliveries/b/redeliver",
            "webhook-endpoints/a/deliveries/b",
        ),
        ("/ui/sign-in", "/ui/sign-in", "ui/sign-in"),
    ],
)
def test_a_resource_is_what_the_path_names(route: str, path: str, resource: str) -> None:
    assert resource_of(route, path) == resource


async def test_every_route_that_writes_has_its_row(client: httpx.AsyncClient, pool: Pool) -> None:
    """Each is asked for by who may not, so that nothing is done and yet there is a row."""
    things = await make_things(pool)
    key = {"Authorization": f"Bearer {await make_key(pool, Grant(Role.VIEWER, OURS))}"}
    writes = [
        line
        for line, rule in RULES.items()
        if line.split(" ")[0] not in {*READING, "*"} and rule.of is not Of.ANYONE and not rule.page
    ]
    asked = {line for line in writes if line not in LEFT_OUT}
    assert len(asked) > 40
    for line in (each for each in writes if RULES[each].of is not Of.POLICIES):  # a worker would be waited for
        method, path = line.split(" ")
        body = {"document": spec_in(OURS)} if RULES[line].of is Of.SPEC else {}
        await client.request(method, path.format_map(things), headers=key, json=body)
    found = await rows_in(pool)
    assert {f"{each['method']} {each['route']}" for each in found} == asked
    assert {each["status"] for each in found} == {403}
    assert all(each["actor"].startswith("key:key-") and each["resource"] for each in found)


async def test_a_row_says_who_from_where_what_and_with_which_result(client: httpx.AsyncClient) -> None:
    headers = {"X-Request-Id": "deploy-4711.a", "X-Forwarded-For": "198.51.100.7"}
    answer = await client.post("/v1/campaigns", json={"document": EXAMPLE_SPEC}, headers=headers)
    assert (answer.status_code, answer.headers["X-Request-Id"]) == (201, "deploy-4711.a")
    [written] = await rows(client)
    assert {name: written[name] for name in ("actor", "action", "address", "method", "route", "resource")} == {
        "actor": "key:bootstrap",
        "action": "write",
        "address": "198.51.100.7",
        "method": "POST",
        "route": "/v1/campaigns",
        "resource": CAMPAIGN,
    }
    assert (written["status"], written["request_id"], written["details"]) == (201, "deploy-4711.a", {})


async def test_what_is_refused_or_not_valid_has_its_row_and_what_is_read_has_none(client: httpx.AsyncClient) -> None:
    for answer, status in (
        (await client.post("/v1/campaigns/nothing/pause"), 404),
        (await client.post("/v1/streams/tokens/trim", json={"no": "such"}), 422),
        (await client.get("/v1/campaigns"), 200),
        (await client.post("/v1/specs/validate", json={"document": EXAMPLE_SPEC}), 200),
    ):
        assert answer.status_code == status
    assert [(each["resource"], each["status"]) for each in await rows(client)] == [
        ("streams/tokens", 422),
        ("campaigns/nothing", 404),
    ]


async def test_signing_in_and_out_and_what_another_site_asked_for_have_their_rows(
    anonymous: httpx.AsyncClient, api_key: str, pool: Pool
) -> None:
    assert (await anonymous.post("/ui/sign-in", data={"key": "obk_AAAAAAAA_wrong"})).status_code == 401
    token = await sign_in(anonymous, api_key)
    assert (await anonymous.post("/v1/campaigns/x/pause", headers={"X-CSRF-Token": "made-up"})).status_code == 403
    assert (await anonymous.post("/ui/sign-out", data={"csrf_token": token})).status_code == 303
    found = [(each["actor"], each["route"], each["status"]) for each in await rows_in(pool)]
    assert found == [
        ("key:bootstrap", "/ui/sign-in", 303),
        ("key:bootstrap", "/v1/campaigns/{name}/pause", 403),
        ("key:bootstrap", "/ui/sign-out", 303),
    ]


async def test_no_secret_and_no_body_is_in_a_row(client: httpx.AsyncClient, api_key: str, pool: Pool) -> None:
    made = (await client.post("/v1/api-keys", json={"name": "ci", "grants": []})).json()
    await client.post(f"/v1/campaigns/{api_key}/pause")
    await client.post("/v1/campaigns?key=" + api_key, json={"document": "version: 1\nname: nobody-says-so\n"})
    kept = str(await pool.fetch("SELECT row_to_json(a)::text FROM audit a"))
    for secret in (api_key.rpartition("_")[2], made["secret"].rpartition("_")[2], "nobody-says-so"):
        assert secret not in kept
    assert f"api-keys/{made['api_key']['id']}" in kept


@pytest.mark.parametrize(
    ("peer", "forwarded", "address"),
    [
        ("203.0.113.9", "198.51.100.7", "203.0.113.9"),  # a stranger says what it likes
        ("10.0.0.2", "198.51.100.7", "198.51.100.7"),
        ("10.0.0.2", "6.6.6.6, 198.51.100.7", "198.51.100.7"),  # who asked made the first up
        ("10.0.0.2", "198.51.100.7, 10.0.0.3", "198.51.100.7"),  # two proxies of ours
    ],
)
async def test_a_proxy_that_is_trusted_says_where_a_write_came_from(
    settings: GatewaySettings, api_key: str, peer: str, forwarded: str, address: str
) -> None:
    app = create_app(settings.model_copy(update={"trusted_proxies": "10.0.0.0/24"}))
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app, client=(peer, 1))
        key = {"Authorization": f"Bearer {api_key}"}
        async with httpx.AsyncClient(transport=transport, base_url="http://gateway", headers=key) as client:
            await client.post("/v1/campaigns/x/pause", headers={"X-Forwarded-For": forwarded})
            [written] = await rows(client)
    assert written["address"] == address


async def test_the_list_is_narrowed_and_paged_newest_first(client: httpx.AsyncClient, pool: Pool) -> None:
    other = {"Authorization": f"Bearer {await make_key(pool, Grant(Role.ADMIN, '*'))}"}
    for number in range(3):
        await client.post(f"/v1/campaigns/a{number}/pause")
    await client.post("/v1/campaigns/a_/pause", headers={**other, "X-Forwarded-For": "198.51.100.7"})
    await client.post("/v1/streams/tokens/trim", json={"older_than_seconds": 60})

    first = (await client.get("/v1/audit", params={"resource": "campaigns", "limit": 3})).json()
    more = {"resource": "campaigns", "limit": 3, "cursor": first["next_cursor"]}
    rest = (await client.get("/v1/audit", params=more)).json()
    names = [each["resource"] for each in (*first["items"], *rest["items"])]
    assert names == ["campaigns/a_", "campaigns/a2", "campaigns/a1", "campaigns/a0"]

    [theirs] = await rows(client, address="198.51.100.7")
    assert await rows(client, actor=theirs["actor"]) == [theirs]
    assert await rows(client, resource="campaigns/a_") == [theirs]
    assert await rows(client, resource="campaigns/a") == []
    assert [each["action"] for each in await rows(client, service="tokens")] == ["streams.trim"]
    assert [each["action"] for each in await rows(client)][:2] == ["write", "streams.trim"]
    assert await rows(client, until=theirs["at"], resource="campaigns") == [*first["items"][1:], *rest["items"]]
    assert await rows(client, since=theirs["at"], resource="campaigns") == [theirs]
    assert (await client.get("/v1/audit", params={"actr": "x"})).json()["problems"][0]["hint"] == (
        "did you mean 'actor'?"
    )


async def test_an_answer_stands_where_the_row_cannot_be_written(
    app: FastAPI, client: httpx.AsyncClient, pool: Pool, capsys: pytest.CaptureFixture[str]
) -> None:
    before = REGISTRY.get_sample_value(LOST) or 0
    await pool.execute("ALTER TABLE audit RENAME TO away")
    try:
        answer = await client.post("/v1/campaigns", json={"document": EXAMPLE_SPEC})
    finally:
        await pool.execute("ALTER TABLE away RENAME TO audit")
    assert answer.status_code == 201
    assert REGISTRY.get_sample_value(LOST) == before + 1
    said = capsys.readouterr().out
    assert "audit_row_lost" in said
    assert CAMPAIGN in said


async def test_each_filter_has_an_index(pool: Pool) -> None:
    await pool.execute(
        "INSERT INTO audit (id, actor, action, details, address, method, route, resource, status)"
        " SELECT uuidv7(), 'key:k' || n % 500, 'write', '{}', '10.0.0.' || n % 500, 'POST', '/v1/campaigns',"
        " 'campaigns/c' || n % 500, 200 FROM generate_series(1, 20000) n"
    )
    await pool.execute("ANALYZE audit")
    for condition in (
        "actor = 'key:k7'",
        "address = '10.0.0.7'",
        "(resource = 'campaigns/c7' OR resource LIKE 'campaigns/c7/%')",
        "at >= now() + interval '1 minute'",
        "method IS NULL",
    ):
        statement = f"EXPLAIN SELECT id FROM audit WHERE {condition} ORDER BY id DESC LIMIT 50"
        plan = "\n".join(each[0] for each in await pool.fetch(statement))
        assert "Seq Scan" not in plan, plan
        assert "audit_pkey" not in plan, plan  # it would walk through all of it
