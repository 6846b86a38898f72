"""Bulk operations over HTTP: what they would do, what they do, and what they leave alone; targets as a file."""

from __future__ import annotations

import csv
import io
from typing import Any

import httpx
import pytest
from redis.asyncio import Redis

from shared.domain.ids import CampaignId, RunId
from shared.domain.target import PublishAs, PullRequestRef
from shared.outbox import Outbox
from shared.postgres.pool import Pool
from tests.integration.campaigns.rows import Rows

STATES = ("open", "draft", "merged", "failed")


def _pull_request(number: int) -> PullRequestRef:
    return PullRequestRef(number=number, node_id=f"PR_{number}", url=f"https://github.test/pull/{number}")


@pytest.fixture
def rows(pool: Pool, redis: Redis) -> Rows:
    return Rows(pool, Outbox(pool, redis))


@pytest.fixture
async def campaign_id(rows: Rows) -> CampaignId:
    return await rows.campaign()


@pytest.fixture
async def run_id(rows: Rows, campaign_id: CampaignId) -> RunId:
    """A run with a target in each of `STATES`, and one that is prepared and not published."""
    run_id = await rows.run(campaign_id, state="completed")
    for number, state in enumerate(STATES, start=1):
        pull_request = None if state == "failed" else _pull_request(number)
        head_oid = f"{number}" * 40
        await rows.target(run_id, campaign_id, state=state, number=number, pull_request=pull_request, head_oid=head_oid)
    await rows.target(run_id, campaign_id, state="prepared", number=9, publish_as=PublishAs.NONE)
    return run_id


async def _act(client: httpx.AsyncClient, address: str, *, key: str = "", **body: Any) -> httpx.Response:
    headers = {"Idempotency-Key": key} if key else {}
    return await client.post(f"{address}/bulk-operations", json=body, headers=headers)


async def test_a_dry_run_says_what_is_done_and_why_not_and_makes_nothing(
    client: httpx.AsyncClient, run_id: RunId, rows: Rows
) -> None:
    answer = await _act(client, f"/v1/runs/{run_id}", action="merge", dry_run=True)
    assert answer.status_code == 200
    outcome = answer.json()
    assert (outcome["applies"], outcome["first"], outcome["skipped"]) == (1, ["acme/repo-1"], 4)
    assert {each["reason"]: each["count"] for each in outcome["reasons"]} == {
        "has no pull request": 2,
        "is a draft: undraft it first": 1,
        "is merged already": 1,
    }
    assert (await client.get("/v1/bulk-operations")).json()["items"] == []
    assert await rows.accepted("start_bulk_operation") == 0


@pytest.mark.parametrize(
    ("wanted", "repositories"),
    [
        ({"states": ["open", "draft"]}, {"acme/repo-1", "acme/repo-2"}),
        ({"repository": "*/repo-[23]"}, {"acme/repo-2", "acme/repo-3"}),
        ({"repository": "REPO-1"}, {"acme/repo-1"}),
        ({"checks_states": ["passed"]}, set()),
        ({"group": "", "states": ["failed"]}, set()),
    ],
)
async def test_a_filter_lets_through_what_it_names(
    client: httpx.AsyncClient, run_id: RunId, wanted: dict[str, Any], repositories: set[str]
) -> None:
    body = {"action": "comment", "parameters": {"body": "Hello"}, "filter": wanted, "dry_run": True}
    assert set((await _act(client, f"/v1/runs/{run_id}", **body)).json()["first"]) == repositories


async def test_a_bulk_operation_is_made_once_for_a_key_and_can_be_cancelled(
    client: httpx.AsyncClient, run_id: RunId, rows: Rows
) -> None:
    made = await _act(client, f"/v1/runs/{run_id}", key="k", action="close", parameters={"delete_branch": True})
    assert made.status_code == 202
    bulk = made.json()["bulk_operation"]
    assert made.headers["location"] == f"/v1/bulk-operations/{bulk['id']}"
    assert (bulk["state"], bulk["counts"]) == ("running", {"pending": 3, "skipped": 2})
    again = await _act(client, f"/v1/runs/{run_id}", key="k", action="close", parameters={"delete_branch": True})
    assert again.json() == made.json()
    other = await _act(client, f"/v1/runs/{run_id}", key="k", action="merge")
    assert other.status_code == 409
    assert await rows.accepted("start_bulk_operation") == 1
    details = (await client.get(f"/v1/bulk-operations/{bulk['id']}")).json()
    assert {each["reason"] for each in details["reasons"]} == {"is merged already", "has no pull request"}
    page = (
        await client.get(f"/v1/bulk-operations/{bulk['id']}/targets", params={"state": "pending", "limit": 2})
    ).json()
    assert len(page["items"]) == 2
    assert page["next_cursor"]
    cancelled = (await client.post(f"/v1/bulk-operations/{bulk['id']}/cancel")).json()
    assert (cancelled["state"], cancelled["counts"]) == ("cancelled", {"cancelled": 3, "skipped": 2})


async def test_what_makes_no_sense_is_refused(
    client: httpx.AsyncClient, rows: Rows, campaign_id: CampaignId, run_id: RunId
) -> None:
    answer = await _act(client, f"/v1/runs/{run_id}", action="merge", parameters={"labels": ["x"]})
    assert answer.status_code == 422
    assert answer.json()["problems"][0]["path"] == "parameters.labels"
    assert (await _act(client, f"/v1/runs/{run_id}", action="explode")).status_code == 422
    preview = await rows.run(campaign_id, dry_run=True)
    refused = await _act(client, f"/v1/runs/{preview}", action="publish")
    assert refused.status_code == 409
    assert "apply campaign notice" in refused.json()["detail"]


async def test_a_campaigns_targets_are_the_newest_of_each_pull_request(
    client: httpx.AsyncClient, rows: Rows, campaign_id: CampaignId, run_id: RunId
) -> None:
    later = await rows.run(campaign_id, state="completed")
    await rows.target(later, campaign_id, state="open", number=1, pull_request=_pull_request(1))
    await rows.target(later, campaign_id, state="unchanged", number=2)
    await rows.target(await rows.run(campaign_id, dry_run=True), campaign_id, state="prepared", number=7)
    body = {"action": "comment", "parameters": {"body": "Hello"}, "dry_run": True}
    outcome = (await _act(client, "/v1/campaigns/notice", **body)).json()
    assert sorted(outcome["first"]) == ["acme/repo-1", "acme/repo-2", "acme/repo-3"]
    superseded = (await _act(client, f"/v1/runs/{run_id}", action="rerun", dry_run=True)).json()
    assert sorted(superseded["first"]) == ["acme/repo-2", "acme/repo-4", "acme/repo-9"]
    assert {"state": "skipped", "reason": "has a target of a later run", "count": 1} in superseded["reasons"]
    outcome = (await _act(client, "/v1/campaigns/notice", action="rerun", dry_run=True)).json()
    assert sorted(outcome["first"]) == ["acme/repo-1", "acme/repo-2", "acme/repo-4", "acme/repo-9"]


async def test_closing_a_campaign_cancels_its_runs_and_closes_what_is_open(
    client: httpx.AsyncClient, rows: Rows, campaign_id: CampaignId, run_id: RunId
) -> None:
    running = await rows.run(campaign_id)
    pending = await rows.target(running, campaign_id, number=20)
    foreseen = await client.post("/v1/campaigns/notice/close", json={"dry_run": True})
    assert foreseen.status_code == 200
    assert foreseen.json() == {
        "dry_run": True,
        "runs": 1,
        "pull_requests": 2,
        "branches": 3,
        "bulk_operation": None,
    }
    closed = await client.post("/v1/campaigns/notice/close", json={})
    assert closed.status_code == 202
    assert closed.json()["bulk_operation"]["parameters"]["delete_branch"] is True
    assert await rows.run_state(running) == "cancelled"
    assert (await rows.reload(pending)).state == "cancelled"
    campaign = (await client.get("/v1/campaigns/notice")).json()
    assert campaign["state"] == "archived"
    assert campaign["closed_at"]
    assert (await client.post("/v1/campaigns/notice/runs", json={})).status_code == 409


async def test_targets_are_exported_as_they_are_filtered(client: httpx.AsyncClient, run_id: RunId) -> None:
    address = f"/v1/runs/{run_id}/targets/export"
    answer = await client.get(address, params={"format": "csv", "state": ["open", "merged"]})
    lines = list(csv.DictReader(io.StringIO(answer.text)))
    assert [(each["repository"], each["state"], each["pull_request_number"]) for each in lines] == [
        ("acme/repo-1", "open", "1"),
        ("acme/repo-3", "merged", "3"),
    ]
    assert len((await client.get(address, params={"format": "json"})).json()) == 5
    assert (await client.get(address, params={"format": "jsonl", "repository": "repo-9"})).text.count("\n") == 1
