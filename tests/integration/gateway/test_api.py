"""What holds for every route of the API: parameters, tags, limits, and routes that are to go."""

from __future__ import annotations

import asyncio
import html
from collections.abc import AsyncIterator
from datetime import date
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from redis.asyncio import Redis

from gateway.access import enforcing
from gateway.access.rules import RULES
from gateway.deprecation import deprecated
from gateway.problems import ALL_KINDS
from gateway.schemas import EXAMPLE_SPEC
from shared.outbox import Outbox
from shared.postgres.pool import Pool
from shared.settings import GatewaySettings
from tests.integration.campaigns.rows import Rows

CAMPAIGN = "/v1/campaigns/add-security-policy"


async def test_an_unknown_parameter_is_named_with_the_nearest(client: httpx.AsyncClient) -> None:
    refused = await client.get("/v1/runs", params={"campain": "a", "limit": 3})
    assert (refused.status_code, refused.json()["type"]) == (422, "/problems/invalid-input")
    [problem] = refused.json()["problems"]
    assert (problem["path"], problem["hint"]) == ("query.campain", "did you mean 'campaign'?")


async def test_who_has_an_answer_is_sent_nothing(client: httpx.AsyncClient) -> None:
    await client.post("/v1/campaigns", json={"document": EXAMPLE_SPEC})
    for path in ("/v1/campaigns", CAMPAIGN):
        first = await client.get(path)
        again = await client.get(path, headers={"If-None-Match": f'"other", W/{first.headers["etag"]}'})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", first.headers["etag"])
    await client.post(f"{CAMPAIGN}/archive")
    assert (await client.get(CAMPAIGN, headers={"If-None-Match": first.headers["etag"]})).status_code == 200


async def test_two_who_edit_a_campaign_do_not_overwrite_each_other(client: httpx.AsyncClient) -> None:
    created = await client.put(CAMPAIGN, json={"document": EXAMPLE_SPEC}, headers={"If-None-Match": "*"})
    seen = (await client.get(CAMPAIGN)).headers["etag"]
    assert (created.status_code, created.headers["etag"]) == (201, seen)
    edits = [EXAMPLE_SPEC.replace("Say how", f"{name} says how") for name in ("Ada", "Bob")]
    answers = await asyncio.gather(
        *(client.put(CAMPAIGN, json={"document": edit}, headers={"If-Match": seen}) for edit in edits)
    )
    assert sorted(answer.status_code for answer in answers) == [200, 412]
    [refused] = [answer for answer in answers if answer.status_code == 412]
    assert refused.json()["type"] == "/problems/precondition-failed"
    again = await client.put(CAMPAIGN, json={"document": EXAMPLE_SPEC}, headers={"If-None-Match": "*"})
    assert again.status_code == 412
    missing = await client.put(
        "/v1/campaigns/none",
        json={"document": EXAMPLE_SPEC.replace("add-security-policy", "none")},
        headers={"If-Match": "*"},
    )
    assert missing.status_code == 412


async def test_a_body_that_comes_without_a_length_is_counted(client: httpx.AsyncClient) -> None:
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(100):
            yield b" " * 65536

    answer = await client.post("/v1/specs/validate", content=endless(), headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.json()["type"]) == (413, "/problems/too-large")


@pytest.mark.parametrize("text", ["\\u0000", "\\ud800"])
async def test_text_that_cannot_be_kept_is_refused_with_its_field(client: httpx.AsyncClient, text: str) -> None:
    body = f'{{"document": "{text}"}}'.encode()
    answer = await client.post("/v1/campaigns", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 422
    assert [each["path"] for each in answer.json()["problems"]] == ["body.document"]


class TestRateLimits:
    """Each key has a bucket of its own."""

    @pytest.fixture
    def settings(self, settings: GatewaySettings) -> GatewaySettings:
        return settings.model_copy(
            update={
                "rate_per_second": 0.05,
                "rate_burst": 5,
                "rate_anonymous_per_second": 0.1,
                "rate_anonymous_burst": 2,
            }
        )

    async def test_who_asks_too_often_is_told_when_to_come_again(self, client: httpx.AsyncClient) -> None:
        answers = [await client.get("/v1/runs") for _ in range(6)]
        assert [answer.status_code for answer in answers] == [200] * 5 + [429]
        assert answers[0].headers["ratelimit-policy"] == '"key";q=5;w=100'
        assert answers[0].headers["ratelimit"].startswith('"key";r=4;t=')
        refused = answers[-1]
        assert refused.json()["type"] == "/problems/rate-limited"
        assert refused.headers["content-type"] == "application/problem+json"
        assert 1 <= int(refused.headers["retry-after"]) <= 20
        assert refused.headers["ratelimit"].startswith('"key";r=0;t=')

    async def test_another_key_and_health_are_not_concerned(self, client: httpx.AsyncClient) -> None:
        for _ in range(6):
            refused = await client.get("/v1/runs")
        assert refused.status_code == 429
        assert (await client.get("/v1/runs", headers={"Authorization": "Bearer obk_another"})).status_code == 401
        assert (await client.get("/metrics")).status_code == 200

    async def test_sign_ins_are_counted_by_address(self, anonymous: httpx.AsyncClient) -> None:
        answers = [await anonymous.post("/ui/sign-in", data={"key": "obk_guess"}) for _ in range(3)]
        assert [answer.status_code for answer in answers] == [401, 401, 429]

    async def test_nobody_is_limited_while_redis_is_away(self, app: FastAPI, client: httpx.AsyncClient) -> None:
        async with Redis(port=1) as away:
            redis = app.state.resources.redis
            object.__setattr__(app.state.resources, "redis", away)
            answers = [await client.get("/v1/runs") for _ in range(8)]
            object.__setattr__(app.state.resources, "redis", redis)
        assert {answer.status_code for answer in answers} == {200}
        assert "octobatch_api_rate_limits_skipped_total" in (await client.get("/metrics")).text


async def test_a_route_that_is_to_go_says_so(app: FastAPI, client: httpx.AsyncClient) -> None:
    @app.get("/v1/old", **deprecated(since=date(2027, 1, 1), sunset=date(2027, 7, 1), instead="/v1/runs"))
    async def old() -> dict[str, str]:
        return {}

    enforcing.install(app, {**RULES, "GET /v1/old": RULES["GET /v1/me"]})
    answer = await client.get("/v1/old")
    assert answer.headers["deprecation"] == "@1798761600"
    assert answer.headers["sunset"] == "Thu, 01 Jul 2027 00:00:00 GMT"
    assert answer.headers["link"] == '</v1/runs>; rel="successor-version"'
    described = (await client.get("/openapi.json")).json()["paths"]["/v1/old"]["get"]
    assert described["deprecated"] is True


async def test_every_kind_of_problem_has_a_page(anonymous: httpx.AsyncClient) -> None:
    listed = (await anonymous.get("/problems")).text
    for kind in ALL_KINDS:
        page = await anonymous.get(f"/problems/{kind.name}")
        assert page.status_code == 200
        assert kind.advice in html.unescape(page.text)
        assert f'href="/problems/{kind.name}"' in listed
    assert (await anonymous.get("/problems/none")).status_code == 404


async def test_who_prefers_to_wait_is_answered_with_what_came_of_it(client: httpx.AsyncClient, pool: Pool) -> None:
    started = await client.post("/v1/selections", json={"document": EXAMPLE_SPEC}, headers={"Prefer": "wait=0"})
    assert (started.status_code, "preference-applied" in started.headers) == (202, False)

    async def finish_all() -> None:
        while await pool.fetchval("SELECT count(*) FROM operations WHERE state = 'accepted'") < 2:
            await asyncio.sleep(0.01)
        await pool.execute("UPDATE operations SET state = 'succeeded', finished_at = now()")

    finishing = asyncio.create_task(finish_all())
    answer = await client.post(
        "/v1/selections", json={"document": EXAMPLE_SPEC}, headers={"Prefer": "respond-async, wait=99"}
    )
    await finishing
    assert (answer.status_code, answer.headers["preference-applied"]) == (200, "wait=30")
    assert answer.json()["operation"]["state"] == "succeeded"
    late = await client.post("/v1/selections", json={"document": EXAMPLE_SPEC}, headers={"Prefer": "wait=1"})
    assert (late.status_code, late.headers["preference-applied"]) == (202, "wait=1")
    assert late.headers["location"] == f"/v1/operations/{late.json()['operation']['id']}"


async def _every(client: httpx.AsyncClient, path: str, **query: Any) -> list[dict[str, Any]]:
    """All items of a list, two a page."""
    found: list[dict[str, Any]] = []
    cursor: dict[str, Any] = {}
    while True:
        answer = await client.get(path, params={**query, "limit": 2, **cursor})
        assert answer.status_code == 200, answer.text
        found += answer.json()["items"]
        if answer.json()["next_cursor"] is None:
            return found
        cursor = {"cursor": answer.json()["next_cursor"]}


async def test_lists_are_sorted_and_a_cursor_carries_the_order(client: httpx.AsyncClient, pool: Pool) -> None:
    rows = Rows(pool, Outbox(pool, Redis()))
    for name in ("b", "a", "c"):
        campaign_id = await rows.campaign(name=name)
    run_id, later_id = await rows.run(campaign_id), await rows.run(campaign_id, state="completed")
    for number, additions in ((1, 30), (2, 10), (3, 20), (4, 20)):
        target = await rows.target(run_id, campaign_id, number=number, state="open" if number % 2 else "failed")
        await pool.execute(
            "UPDATE targets SET files_changed = 1, additions = $2, deletions = 0 WHERE id = $1", target.id, additions
        )

    async def names(path: str, key: str, **query: Any) -> list[str]:
        return [each[key][-1:] for each in await _every(client, path, **query)]

    assert await names("/v1/campaigns", "name", sort="-name") == ["c", "b", "a"]
    assert await names("/v1/campaigns", "name", sort="created") == ["b", "a", "c"]
    assert await names("/v1/campaigns", "name", sort="-updated", text="C") == ["c"]
    assert [each["id"] for each in await _every(client, "/v1/runs", sort="created")] == [str(run_id), str(later_id)]
    assert len(await _every(client, "/v1/runs", state=["completed", "failed"], since="2026-01-01T00:00:00Z")) == 1
    targets = f"/v1/runs/{run_id}/targets"
    assert await names(targets, "repository", sort="-repository") == ["4", "3", "2", "1"]
    assert await names(targets, "repository", sort="size") == ["2", "3", "4", "1"]
    assert await names(targets, "repository", sort="-updated", state="failed") == ["4", "2"]
    cursor = (await client.get(targets, params={"sort": "size", "limit": 1})).json()["next_cursor"]
    other = await client.get(targets, params={"sort": "-size", "cursor": cursor})
    assert (other.status_code, other.json()["problems"][0]["path"]) == (422, "query.cursor")


async def test_include_gives_what_is_asked_for(client: httpx.AsyncClient, pool: Pool) -> None:
    rows = Rows(pool, Outbox(pool, Redis()))
    campaign_id = await rows.campaign()
    run_id = await rows.run(campaign_id)
    target = await rows.target(run_id, campaign_id, state="open")
    run = (await client.get(f"/v1/runs/{run_id}", params={"include": "counts,selection"})).json()
    assert (run["counts"], run["warnings"], run["waits_for"]) == ({"open": 1}, None, None)
    assert (await client.get(f"/v1/runs/{run_id}")).json()["waits_for"] == []
    shown = (await client.get("/v1/campaigns/notice", params={"include": ["latest_run", "counts"]})).json()
    assert (shown["latest_run"]["id"], shown["counts"]) == (str(run_id), {"open": 1})
    detail = (await client.get(f"/v1/targets/{target.id}", params={"include": "events"})).json()
    assert (detail["events"], detail["artifacts"]) == ([], None)
    refused = await client.get(f"/v1/targets/{target.id}", params={"include": "everything"})
    assert (refused.status_code, refused.json()["problems"][0]["path"]) == (422, "query.include.0")
