"""API keys: what they may do, how long they live, and that nobody sees a secret twice."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from gateway.schemas import EXAMPLE_SPEC
from shared.postgres.pool import Pool

NEW = {"name": "ci", "grants": [{"role": "author", "namespace": "default"}]}


async def make(client: httpx.AsyncClient, **changed: Any) -> dict[str, Any]:
    answer = await client.post("/v1/api-keys", json={**NEW, **changed})
    assert answer.status_code == 201, answer.text
    return answer.json()


def sent(made: dict[str, Any]) -> dict[str, str]:
    return {"Authorization": f"Bearer {made['secret']}"}


async def test_a_key_does_what_it_is_granted_in_its_name(client: httpx.AsyncClient) -> None:
    made = await make(client)
    written = await client.post("/v1/campaigns", json={"document": EXAMPLE_SPEC}, headers=sent(made))
    assert (written.status_code, written.json()["created_by"]) == (201, "key:ci")
    for method, path in (("GET", "/v1/api-keys"), ("POST", "/v1/api-keys"), ("GET", "/v1/audit")):
        refused = await client.request(method, path, headers=sent(made), json=NEW if method == "POST" else None)
        assert "needs the role admin for all namespaces" in refused.json()["detail"]
    seen = (await client.get(f"/v1/api-keys/{made['api_key']['id']}")).json()
    assert seen["last_used_at"]


async def test_a_secret_is_shown_once_and_kept_nowhere(client: httpx.AsyncClient, pool: Pool) -> None:
    made = await make(client)
    secret = made["secret"].rpartition("_")[2]
    assert secret not in (await client.get("/v1/api-keys")).text
    kept = await pool.fetch("SELECT row_to_json(k)::text AS row FROM api_keys k")
    assert not any(secret in row["row"] for row in kept)


async def test_a_name_is_that_of_one_owner(client: httpx.AsyncClient) -> None:
    made = await make(client)
    assert (await client.post("/v1/api-keys", json=NEW)).status_code == 409
    await client.delete(f"/v1/api-keys/{made['api_key']['id']}")
    await make(client)


async def test_a_rotated_key_lives_on_for_its_grace(client: httpx.AsyncClient, pool: Pool) -> None:
    old = await make(client)
    address = f"/v1/api-keys/{old['api_key']['id']}"
    new = (await client.post(f"{address}/rotate", json={"grace_seconds": 600})).json()
    assert new["api_key"]["rotated_from"] == old["api_key"]["id"]
    for each in ("name", "grants", "scopes"):
        assert new["api_key"][each] == old["api_key"][each]
    for key in (old, new):
        assert (await client.get("/v1/me", headers=sent(key))).json()["actor"] == "key:ci"
    await pool.execute("UPDATE api_keys SET expires_at = expires_at - interval '601 seconds'")
    assert (await client.get("/v1/me", headers=sent(old))).status_code == 401
    assert (await client.get("/v1/me", headers=sent(new))).status_code == 200
    assert (await client.post(f"{address}/rotate", json={})).status_code == 409


async def test_a_revoked_key_opens_nothing(client: httpx.AsyncClient) -> None:
    made = await make(client)
    for _ in range(2):
        assert (await client.delete(f"/v1/api-keys/{made['api_key']['id']}")).status_code == 204
    assert (await client.get("/v1/me", headers=sent(made))).status_code == 401


@pytest.mark.parametrize(
    "changed",
    [
        {"expires_at": "2020-01-01T00:00:00Z"},
        {"grants": [{"role": "king", "namespace": "default"}]},
        {"grants": [{"role": "viewer", "namespace": "No Such"}]},
        {"scopes": []},
        {"name": "a b"},
    ],
)
async def test_what_makes_no_key_is_refused(client: httpx.AsyncClient, changed: dict[str, Any]) -> None:
    assert (await client.post("/v1/api-keys", json={**NEW, **changed})).status_code == 422
