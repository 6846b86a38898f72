"""Endpoints of outgoing webhooks over HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from pydantic import SecretStr

from gateway.app import create_app
from shared.auth.webhook_signing import endpoint_secret
from shared.domain.ids import WebhookEndpointId
from shared.postgres.pool import Pool
from shared.settings import GatewaySettings

KEY, OLDER_KEY = "k" * 32, "o" * 32
URL = "https://hooks.acme.example/octobatch"


@pytest.fixture
async def app(settings: GatewaySettings) -> AsyncIterator[FastAPI]:
    """A gateway with outgoing webhooks."""
    app = create_app(settings.model_copy(update={"webhooks_signing_key": SecretStr(f"{KEY} {OLDER_KEY}")}))
    async with app.router.lifespan_context(app):
        yield app


async def create(client: httpx.AsyncClient, **values: Any) -> dict[str, Any]:
    answer = await client.post("/v1/webhook-endpoints", json={"url": URL, "events": ["run.*"], **values})
    assert answer.status_code == 201, answer.text
    return answer.json()


async def test_an_endpoint_is_created_shown_changed_and_deleted(client: httpx.AsyncClient, pool: Pool) -> None:
    made = await create(client, description="the release channel")
    endpoint = made["endpoint"]
    path = f"/v1/webhook-endpoints/{endpoint['id']}"
    assert made["secret"] == endpoint_secret(KEY, WebhookEndpointId(endpoint["id"]), 1)
    assert (await client.get(f"{path}/secret")).json() == {"secret": made["secret"]}
    assert (await client.get("/v1/webhook-endpoints")).json()["items"] == [endpoint]
    changed = (await client.patch(path, json={"events": ["target.merged", "*"]})).json()
    assert (changed["events"], changed["url"], changed["description"]) == (
        ["target.merged", "*"],
        URL,
        "the release channel",
    )
    assert (await client.post(f"{path}/pause")).json()["paused_at"]
    assert (await client.post(f"{path}/resume")).json()["paused_at"] is None
    rotated = (await client.post(f"{path}/rotate-secret")).json()
    assert rotated["secret"] == endpoint_secret(KEY, WebhookEndpointId(endpoint["id"]), 2)
    assert made["secret"] not in str(await pool.fetch("SELECT * FROM webhook_endpoints"))
    assert (await client.delete(path)).status_code == 204
    assert (await client.get(path)).status_code == 404
    acts = [each["action"] for each in (await client.get("/v1/audit?part=acts")).json()["items"]]
    assert acts == [
        *("webhooks.delete", "webhooks.rotate", "webhooks.update", "webhooks.update", "webhooks.update"),
        *("webhooks.reveal", "webhooks.create"),
    ]


@pytest.mark.parametrize(
    ("values", "status", "path"),
    [
        ({"url": "http://hooks.acme.example"}, 422, "url"),
        ({"url": "https://me:secret@hooks.acme.example"}, 422, "url"),
        ({"events": ["target.mergd"]}, 422, "events.0"),
        ({"events": []}, 422, "body.events"),
        ({"campaign": "unknown"}, 404, None),
    ],
)
async def test_what_cannot_be_an_endpoint_is_refused(
    client: httpx.AsyncClient, values: dict[str, Any], status: int, path: str | None
) -> None:
    answer = await client.post("/v1/webhook-endpoints", json={"url": URL, "events": ["*"], **values})
    assert answer.status_code == status
    assert [each["path"] for each in answer.json().get("problems", [])] == ([path] if path else [])


async def test_a_ping_is_logged_and_sent_again_by_hand(client: httpx.AsyncClient, pool: Pool) -> None:
    endpoint = (await create(client))["endpoint"]
    path = f"/v1/webhook-endpoints/{endpoint['id']}"
    ping = (await client.post(f"{path}/ping")).json()
    assert (ping["type"], ping["state"]) == ("webhook.ping", "waiting")
    await pool.execute("UPDATE webhook_messages SET state = 'dead', error = 'it answered 500', finished_at = now()")
    assert (await client.get(f"{path}/deliveries", params={"state": "waiting"})).json()["items"] == []
    [dead] = (await client.get(f"{path}/deliveries", params={"state": "dead", "type": "webhook.ping"})).json()["items"]
    assert dead["error"] == "it answered 500"
    again = (await client.post(f"{path}/deliveries/{ping['id']}/redeliver")).json()
    assert (again["state"], again["error"], again["id"]) == ("waiting", None, ping["id"])
    shown = (await client.get(f"{path}/deliveries/{ping['id']}")).json()
    assert (shown["content"]["type"], shown["content"]["data"], shown["tried"]) == ("webhook.ping", {}, [])
    assert (await client.post(f"{path}/redeliver-dead")).json() == {"messages": 0}
    await pool.execute("UPDATE webhook_endpoints SET disabled_at = now(), disabled_reason = 'it answered 410'")
    refused = await client.post(f"{path}/ping")
    assert (refused.status_code, refused.json()["detail"]) == (
        409,
        "the endpoint is disabled, as it answered 410: resume it first",
    )


async def test_without_a_signing_key_there_are_no_endpoints(settings: GatewaySettings, api_key: str) -> None:
    app = create_app(settings)
    http = httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://gateway", headers={"Authorization": f"Bearer {api_key}"}
    )
    async with app.router.lifespan_context(app), http as client:
        answer = await client.post("/v1/webhook-endpoints", json={"url": URL, "events": ["*"]})
    assert answer.status_code == 409
    assert "set OCTOBATCH_WEBHOOKS_SIGNING_KEY" in answer.json()["detail"]
