"""What the gateway's probes say, and to whom."""

from __future__ import annotations

import httpx
import pytest
from fastapi import FastAPI
from jsonschema import Draft202012Validator
from pydantic import SecretStr
from redis.asyncio import Redis

from gateway.app import create_app
from sandbox.embedded.servers import free_port
from shared.domain.operation import Service
from shared.postgres.pool import Pool
from shared.settings import GatewaySettings
from shared.streams.groups import has_group


@pytest.fixture
def settings(settings: GatewaySettings) -> GatewaySettings:
    """Nobody answers where GitHub is said to be."""
    return settings.model_copy(update={"github_api_base": f"http://127.0.0.1:{free_port()}"})


async def test_it_is_ready_when_stores_schema_and_streams_are(anonymous: httpx.AsyncClient, redis: Redis) -> None:
    answer = await anonymous.get("/readyz")
    assert (answer.status_code, answer.json()["ready"]) == (200, True)
    names = [check["name"] for check in answer.json()["checks"]]
    assert names == ["process", "postgres", "schema", "redis", "streams"]
    assert all([await has_group(redis, service) for service in Service])


async def test_it_is_not_ready_on_an_older_schema(anonymous: httpx.AsyncClient, pool: Pool) -> None:
    await pool.execute("UPDATE alembic_version SET version_num = '0000'")
    answer = await anonymous.get("/readyz")
    assert (answer.status_code, answer.json()["ready"]) == (503, False)
    [wrong] = [check for check in answer.json()["checks"] if not check["is_healthy"]]
    assert (wrong["name"], wrong["detail"][:25]) == ("schema", "the schema is at 0000, th")


async def test_it_is_not_ready_when_it_stops(app: FastAPI, anonymous: httpx.AsyncClient) -> None:
    app.state.resources.stopping.set()
    answer = await anonymous.get("/readyz")
    assert (answer.status_code, answer.json()["checks"][0]["detail"]) == (503, "it is stopping")
    assert (await anonymous.get("/livez")).json() == {"alive": True}


async def test_without_github_and_workers_it_is_ready_and_not_healthy(anonymous: httpx.AsyncClient) -> None:
    assert (await anonymous.get("/readyz")).status_code == 200
    answer = await anonymous.get("/healthz")
    assert (answer.status_code, answer.json()["healthy"]) == (503, False)
    checks = {check["name"]: check for check in answer.json()["checks"]}
    assert {name for name, check in checks.items() if not check["is_healthy"]} == {"github", "workers"}
    assert checks["workers"]["detail"] == "no worker was heard of lately: campaigns, selection, tokens"
    assert set(checks) - {"process", "postgres", "schema", "redis", "streams"} == {
        "blobstore",
        "github",
        "workers",
        "installations",
    }


async def test_without_redis_it_lives_and_is_not_ready(settings: GatewaySettings) -> None:
    away = settings.model_copy(update={"redis_url": SecretStr(f"redis://:hunter2@127.0.0.1:{free_port()}/0")})
    app = create_app(away)
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://gateway") as client:
            ready, healthy, lives = [await client.get(path) for path in ("/readyz", "/healthz", "/livez")]
    assert (ready.status_code, healthy.status_code, lives.status_code) == (503, 503, 200)
    wrong = {check["name"]: check["detail"] for check in ready.json()["checks"] if not check["is_healthy"]}
    assert set(wrong) == {"redis", "streams"}
    assert "hunter2" not in ready.text + healthy.text


@pytest.mark.parametrize(("path", "schema"), [("/readyz", "ShownReadiness"), ("/healthz", "ShownHealthReport")])
async def test_answers_are_as_the_reference_says(anonymous: httpx.AsyncClient, path: str, schema: str) -> None:
    api = (await anonymous.get("/openapi.json")).json()
    Draft202012Validator({**api, "$ref": f"#/components/schemas/{schema}"}).validate((await anonymous.get(path)).json())
