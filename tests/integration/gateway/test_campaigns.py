"""Campaigns, versions and runs over HTTP: what is accepted is whole, what is refused leaves nothing."""

from __future__ import annotations

import asyncio
import re
from datetime import datetime
from uuid import UUID

import httpx
import pytest
from fastapi import FastAPI
from redis.asyncio import Redis

from gateway.schemas import EXAMPLE_SPEC
from shared.clock import utcnow
from shared.domain.ids import CampaignId, InstallationId, RunId, TargetId, new_id
from shared.domain.target import NewTarget, PublishAs
from shared.postgres import targets
from shared.postgres.pool import Pool
from shared.settings import GatewaySettings
from shared.streams.budgets import Budgets
from shared.streams.github_budgets import CONTENT, github_windows, identity_of

NAME = "add-security-policy"


@pytest.fixture
async def campaign(client: httpx.AsyncClient) -> str:
    created = await client.post("/v1/campaigns", json={"document": EXAMPLE_SPEC})
    assert created.status_code == 201, created.text
    return NAME


async def test_a_campaign_keeps_every_version_of_its_spec(client: httpx.AsyncClient, campaign: str) -> None:
    changed = EXAMPLE_SPEC.replace("Say how", "Tell how")
    assert (await client.put(f"/v1/campaigns/{campaign}", json={"document": changed})).json()["current_version"] == 2
    assert (await client.put(f"/v1/campaigns/{campaign}", json={"document": changed})).json()["current_version"] == 2
    versions = (await client.get(f"/v1/campaigns/{campaign}/versions")).json()["items"]
    assert [(each["version"], each["document"]) for each in versions] == [(2, changed), (1, EXAMPLE_SPEC)]


async def test_versions_are_compared_by_what_their_difference_means(client: httpx.AsyncClient, campaign: str) -> None:
    changed = EXAMPLE_SPEC.replace("Say how", "Tell how")
    await client.put(f"/v1/campaigns/{campaign}", json={"document": changed})
    found = (await client.get(f"/v1/campaigns/{campaign}/versions/1/diff/2")).json()
    assert [each["part"] for each in found["changes"]] == ["about"]
    assert "-description: Say how" in found["lines"]
    assert (await client.get(f"/v1/campaigns/{campaign}/versions/1/diff/3")).status_code == 404


async def test_puts_at_once_make_one_version_each(client: httpx.AsyncClient, campaign: str) -> None:
    documents = [EXAMPLE_SPEC.replace("Say how", f"Say {n} times how") for n in range(10)]
    answers = await asyncio.gather(*(client.put(f"/v1/campaigns/{campaign}", json={"document": d}) for d in documents))
    assert sorted(answer.json()["current_version"] for answer in answers) == list(range(2, 12))


async def test_first_puts_at_once_make_one_campaign(client: httpx.AsyncClient) -> None:
    answers = await asyncio.gather(
        *(client.put(f"/v1/campaigns/{NAME}", json={"document": EXAMPLE_SPEC}) for _ in range(10))
    )
    assert {answer.status_code for answer in answers} <= {200, 201, 409}
    assert [answer.status_code for answer in answers].count(201) == 1


async def test_an_invalid_spec_is_refused_with_its_line_and_leaves_nothing(client: httpx.AsyncClient) -> None:
    answer = await client.post("/v1/campaigns", json={"document": EXAMPLE_SPEC.replace("description:", "descripton:")})
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["type"] == "/problems/invalid-spec"
    [problem] = [each for each in answer.json()["problems"] if each["line"] == 3]
    assert "description" in problem["hint"]
    assert (await client.get("/v1/campaigns")).json()["items"] == []


async def test_unknown_fields_of_a_body_are_errors(client: httpx.AsyncClient, campaign: str) -> None:
    answer = await client.post(f"/v1/campaigns/{campaign}/runs", json={"dryrun": True})
    assert answer.status_code == 422
    assert answer.json()["problems"][0]["path"] == "body.dryrun"
    assert (await client.get("/v1/runs")).json()["items"] == []


async def test_only_a_completed_preview_of_the_campaign_is_published(
    client: httpx.AsyncClient, campaign: str, pool: Pool
) -> None:
    async def start(**order: object) -> httpx.Response:
        return await client.post(f"/v1/campaigns/{campaign}/runs", json=order)

    preview = (await start(dry_run=True)).json()["run"]["id"]
    apply = (await start()).json()["run"]["id"]
    assert (await start(preview_run_id=preview)).status_code == 409
    await pool.execute("UPDATE runs SET state = 'completed'")
    assert (await start(preview_run_id=apply)).status_code == 422
    assert (await start(preview_run_id=preview, dry_run=True)).status_code == 422
    published = (await start(preview_run_id=preview, moved="prepare")).json()
    assert (published["run"]["preview_run_id"], published["run"]["state"]) == (preview, "planning")
    assert published["operation"]["type"] == "plan_run"


async def test_a_run_is_accepted_with_its_selection_and_operation(client: httpx.AsyncClient, campaign: str) -> None:
    answer = await client.post(f"/v1/campaigns/{campaign}/runs", json={"dry_run": True})
    assert answer.status_code == 202
    started = answer.json()
    operation = (await client.get(answer.headers["location"])).json()
    assert (operation["type"], operation["state"]) == ("select_repositories", "accepted")
    run = (await client.get(f"/v1/runs/{started['run']['id']}")).json()
    assert (run["state"], run["selection"]["state"], run["counts"]) == ("selecting", "pending", {})


async def test_the_operations_of_a_run_are_listed_by_state(client: httpx.AsyncClient, campaign: str) -> None:
    run = (await client.post(f"/v1/campaigns/{campaign}/runs", json={})).json()["run"]
    path = f"/v1/runs/{run['id']}/operations"
    [operation] = (await client.get(path)).json()["items"]
    assert (operation["type"], operation["state"]) == ("select_repositories", "accepted")
    assert (await client.get(path, params={"state": "accepted"})).json()["items"] == [operation]
    assert (await client.get(path, params={"state": "failed"})).json()["items"] == []
    assert (await client.get(f"/v1/runs/{new_id()}/operations")).status_code == 404


async def test_the_same_idempotency_key_a_hundred_times_at_once_starts_one_run(
    client: httpx.AsyncClient, campaign: str, pool: Pool
) -> None:
    headers = {"Idempotency-Key": "one"}
    answers = await asyncio.gather(
        *(client.post(f"/v1/campaigns/{campaign}/runs", json={}, headers=headers) for _ in range(100))
    )
    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.json()["run"]["id"] for answer in answers}) == 1
    assert await pool.fetchval("SELECT count(*) FROM runs") == 1


async def test_an_idempotency_key_stands_for_one_request(client: httpx.AsyncClient, campaign: str) -> None:
    headers = {"Idempotency-Key": "one"}
    await client.post(f"/v1/campaigns/{campaign}/runs", json={}, headers=headers)
    answer = await client.post(f"/v1/campaigns/{campaign}/runs", json={"dry_run": True}, headers=headers)
    assert (answer.status_code, answer.json()["type"]) == (409, "/problems/conflict")


async def test_a_cancelled_run_stays_cancelled(client: httpx.AsyncClient, campaign: str) -> None:
    run_id = (await client.post(f"/v1/campaigns/{campaign}/runs", json={})).json()["run"]["id"]
    for _ in range(2):
        cancelled = await client.post(f"/v1/runs/{run_id}/cancel")
        assert (cancelled.status_code, cancelled.json()["state"]) == (200, "cancelled")
    assert (await client.get(f"/v1/runs/{run_id}")).json()["selection"]["state"] == "cancelled"


async def test_an_archived_campaign_starts_no_run(client: httpx.AsyncClient, campaign: str) -> None:
    await client.post(f"/v1/campaigns/{campaign}/archive")
    answer = await client.post(f"/v1/campaigns/{campaign}/runs", json={})
    assert (answer.status_code, "unarchive" in answer.json()["detail"]) == (409, True)
    await client.post(f"/v1/campaigns/{campaign}/unarchive")
    assert (await client.post(f"/v1/campaigns/{campaign}/runs", json={})).status_code == 202


async def test_history_is_never_deleted(client: httpx.AsyncClient, campaign: str) -> None:
    await client.post(f"/v1/campaigns/{campaign}/runs", json={})
    answer = await client.delete(f"/v1/campaigns/{campaign}")
    assert (answer.status_code, "archive it instead" in answer.json()["detail"]) == (409, True)


async def test_a_campaign_that_never_ran_can_be_deleted(client: httpx.AsyncClient, campaign: str) -> None:
    assert (await client.delete(f"/v1/campaigns/{campaign}")).status_code == 204
    assert (await client.get(f"/v1/campaigns/{campaign}")).status_code == 404


async def test_pages_of_runs_show_each_run_once(client: httpx.AsyncClient, campaign: str) -> None:
    started = [(await client.post(f"/v1/campaigns/{campaign}/runs", json={})).json()["run"]["id"] for _ in range(5)]
    listed: list[str] = []
    cursor = None
    while True:
        page = (await client.get("/v1/runs", params={"limit": 2} | ({"cursor": cursor} if cursor else {}))).json()
        listed += [each["id"] for each in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert listed == started[::-1]


@pytest.mark.parametrize("cursor", ["", "!", "bm90IGFuIGlk", "é"])
async def test_a_made_up_cursor_is_refused(client: httpx.AsyncClient, cursor: str) -> None:
    answer = await client.get("/v1/runs", params={"cursor": cursor})
    assert answer.status_code in ({200} if cursor == "" else {422})


async def test_every_route_but_the_public_ones_asks_for_a_key(app: FastAPI, anonymous: httpx.AsyncClient) -> None:
    public = {"/livez", "/healthz", "/readyz", "/metrics", "/schemas/campaign-spec-v1.json", "/webhooks/github"}
    asked = 0
    for path, methods in app.openapi()["paths"].items():
        for method in methods:
            if path not in public:
                identifier = "00000000-0000-0000-0000-000000000001"
                url = path.replace("{installation_id}", "1").replace("{version}", "1").replace("{kind}", "log")
                for name in ("{name}", "{run_id}", "{target_id}", "{selection_id}", "{operation_id}"):
                    url = url.replace(name, identifier)
                body = {"document": EXAMPLE_SPEC} if "selections" in path or "spec" in path else {}
                answer = await anonymous.request(method, url, json=body)
                assert answer.status_code in (401, 422), (method, path, answer.status_code)
                if answer.status_code == 401:
                    asked += 1
                    assert answer.json()["type"] == "/problems/not-authenticated"
    assert asked > 20


@pytest.mark.parametrize("key", ["", "wrong", "obk_AAAAAAAA_" + "x" * 43])
async def test_a_wrong_key_opens_nothing(anonymous: httpx.AsyncClient, key: str) -> None:
    answer = await anonymous.get("/v1/campaigns", headers={"Authorization": f"Bearer {key}"})
    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")


async def test_a_run_tells_when_the_limits_let_its_pull_requests_be_open(
    client: httpx.AsyncClient, campaign: str, pool: Pool, settings: GatewaySettings, redis: Redis
) -> None:
    run = (await client.post(f"/v1/campaigns/{campaign}/runs", json={})).json()["run"]
    assert (await client.get(f"/v1/runs/{run['id']}")).json()["limits_allow_at"] is None  # nothing is planned yet
    planned = [
        NewTarget(
            id=TargetId(new_id()),
            run_id=RunId(UUID(run["id"])),
            campaign_id=CampaignId(UUID(run["campaign_id"])),
            repository_node_id=f"R_{number}",
            repository_id=number,
            repository=f"acme/{number}",
            installation_id=InstallationId(1 if number < 1200 else 2),
            base_branch="main",
            base_oid=None,
            branch="octobatch/change",
            publish_as=PublishAs.NONE if number % 2 else PublishAs.OPEN,
        )
        for number in range(1300)
    ]
    async with pool.acquire() as conn:
        await targets.insert_targets(conn, planned)

    async def hours_left() -> float:
        allowed = (await client.get(f"/v1/runs/{run['id']}")).json()["limits_allow_at"]
        return (datetime.fromisoformat(allowed) - utcnow()).total_seconds() / 3600

    await pool.execute("UPDATE runs SET state = 'running'")
    assert await hours_left() == pytest.approx(1, abs=0.01)  # 600 of the first installation, 500 an hour
    budgets = Budgets(redis, github_windows(settings))
    for _ in range(5):
        assert await budgets.reserve(identity_of(InstallationId(1)), {CONTENT[1]: 100}) is None
    assert await hours_left() == pytest.approx(2, abs=0.01)
    await pool.execute("UPDATE targets SET state = 'publishing' WHERE installation_id = 1 AND publish_as <> 'none'")
    shown = (await client.get(f"/v1/runs/{run['id']}")).json()
    [wait] = shown["waits_for"]
    assert re.fullmatch(r"content creation: 500/h, next slot in (60 min|1 h)", wait["text"])
    assert shown["expected_at"][:16] == shown["limits_allow_at"][:16]
    paused = (await client.post(f"/v1/campaigns/{campaign}/pause")).json()["items"]
    assert [(each["id"], each["paused_by"]) for each in paused] == [(run["id"], "key:bootstrap")]
    shown = (await client.get(f"/v1/runs/{run['id']}")).json()
    assert ([each["text"] for each in shown["waits_for"]], shown["expected_at"]) == (["paused by key:bootstrap"], None)
    assert (await client.post(f"/v1/runs/{run['id']}/resume")).json()["paused_at"] is None
    await pool.execute("UPDATE targets SET state = 'cancelled'")
    assert (await client.get(f"/v1/runs/{run['id']}")).json()["limits_allow_at"] is None


async def test_a_campaign_with_a_schedule_says_when_it_runs_again(client: httpx.AsyncClient, campaign: str) -> None:
    async def next_run_at() -> str | None:
        return (await client.get(f"/v1/campaigns/{campaign}")).json()["next_run_at"]

    assert await next_run_at() is None
    scheduled = EXAMPLE_SPEC + 'schedule: "0 6 * * *"\n'
    await client.put(f"/v1/campaigns/{campaign}", json={"document": scheduled})
    first = await next_run_at()
    assert first
    assert "T06:00:00" in first
    await client.post(f"/v1/campaigns/{campaign}/archive")
    assert await next_run_at() is None
    await client.post(f"/v1/campaigns/{campaign}/unarchive")
    assert await next_run_at() == first
    await client.put(f"/v1/campaigns/{campaign}", json={"document": EXAMPLE_SPEC})
    assert await next_run_at() is None
