"""Webhook deliveries, taken in by the handler over real Postgres and Valkey."""

from __future__ import annotations

from typing import Any

import pytest

from shared.domain.target import ChecksState, PullRequestRef, ReviewState, Target, TargetState
from shared.errors import AlreadyDone
from tests.integration.campaigns.rows import Rows
from workers.campaigns.context import CampaignsContext
from workers.campaigns.following.deliveries import handle_webhook

HEAD = "c" * 40
PULL_REQUEST = PullRequestRef(number=12, node_id="PR_12", url="https://github.test/acme/repo-1/pull/12")


@pytest.fixture
async def target(rows: Rows) -> Target:
    """An open target with pull request 12."""
    campaign_id = await rows.campaign()
    run_id = await rows.run(campaign_id, state="completed")
    return await rows.target(run_id, campaign_id, state="open", pull_request=PULL_REQUEST, head_oid=HEAD)


def pull_request_payload(action: str, *, at: str = "2026-01-02T03:04:05Z", **values: Any) -> dict[str, Any]:
    pull_request = {"number": 12, "state": "open", "merged": False, "draft": False, "updated_at": at, **values}
    return {
        "action": action,
        "after": "d" * 40,
        "pull_request": pull_request,
        "repository": {"node_id": "R_1"},
        "sender": {"login": "person", "type": "User"},
    }


async def test_a_merge_becomes_the_targets_state_and_an_event(
    ctx: CampaignsContext, rows: Rows, target: Target
) -> None:
    merged = pull_request_payload("closed", state="closed", merged=True)
    await handle_webhook(ctx, await rows.delivery("pull_request", merged))
    assert (await rows.reload(target)).state is TargetState.MERGED
    assert await rows.event_types(target.run_id) == ["target.merged"]


async def test_every_run_that_has_the_pull_request_is_told(ctx: CampaignsContext, rows: Rows, target: Target) -> None:
    later_run = await rows.run(target.campaign_id)
    later = await rows.target(later_run, target.campaign_id, state="open", pull_request=PULL_REQUEST)
    closed = pull_request_payload("closed", state="closed")
    await handle_webhook(ctx, await rows.delivery("pull_request", closed))
    assert {(await rows.reload(each)).state for each in (target, later)} == {TargetState.CLOSED}


async def test_a_replayed_delivery_changes_nothing(ctx: CampaignsContext, rows: Rows, target: Target) -> None:
    payload = pull_request_payload("closed", state="closed")
    command = await rows.delivery("pull_request", payload, delivery_id="d-1")
    await handle_webhook(ctx, command)
    await handle_webhook(ctx, await rows.delivery("pull_request", pull_request_payload("reopened")))
    with pytest.raises(AlreadyDone):
        await handle_webhook(ctx, command)
    again = await rows.delivery("pull_request", payload, delivery_id="d-1")
    assert again.operation_id == command.operation_id
    assert (await rows.reload(target)).state is TargetState.OPEN
    assert await rows.event_types(target.run_id) == ["target.closed", "target.open"]


async def test_a_late_delivery_does_not_undo_a_newer_one(ctx: CampaignsContext, rows: Rows, target: Target) -> None:
    reopened = pull_request_payload("reopened", at="2026-01-02T03:00:02Z")
    closed = pull_request_payload("closed", at="2026-01-02T03:00:01Z", state="closed")
    to_draft = pull_request_payload("converted_to_draft", at="2026-01-02T03:00:00Z", draft=True)
    closed_first = pull_request_payload("closed", at="2026-01-02T02:00:00Z", state="closed")
    await handle_webhook(ctx, await rows.delivery("pull_request", closed_first))
    for payload in (reopened, closed, to_draft):
        await handle_webhook(ctx, await rows.delivery("pull_request", payload))
    assert (await rows.reload(target)).state is TargetState.OPEN


async def test_a_merged_target_is_never_moved_again(ctx: CampaignsContext, rows: Rows, target: Target) -> None:
    for payload in (
        pull_request_payload("closed", state="closed", merged=True),
        pull_request_payload("reopened", at="2027-01-01T00:00:00Z"),
    ):
        await handle_webhook(ctx, await rows.delivery("pull_request", payload))
    assert (await rows.reload(target)).state is TargetState.MERGED


async def test_reviews_and_checks_are_noted_and_asked_for_again(
    ctx: CampaignsContext, rows: Rows, target: Target
) -> None:
    await ctx.pool.execute("UPDATE targets SET checked_at = now()")
    review = {"action": "submitted", "review": {"state": "approved"}, "pull_request": {"number": 12}}
    await handle_webhook(ctx, await rows.delivery("pull_request_review", {**review, "repository": {"node_id": "R_1"}}))
    status = {"sha": HEAD, "state": "failure", "repository": {"node_id": "R_1"}}
    await handle_webhook(ctx, await rows.delivery("status", status))
    seen = await rows.reload(target)
    assert (seen.review_state, seen.checks_state) == (ReviewState.APPROVED, ChecksState.FAILED)
    suite = {"conclusion": "success", "head_sha": HEAD, "pull_requests": [{"number": 12}]}
    passed = {"action": "completed", "check_suite": suite, "repository": {"node_id": "R_1"}}
    await handle_webhook(ctx, await rows.delivery("check_suite", passed))
    assert (await rows.reload(target)).checks_state is ChecksState.FAILED, "one suite does not speak for all checks"
    assert await ctx.pool.fetchval("SELECT checked_at FROM targets") is None


async def test_a_persons_push_is_told_once(ctx: CampaignsContext, rows: Rows, target: Target) -> None:
    for _ in range(2):
        await handle_webhook(ctx, await rows.delivery("pull_request", pull_request_payload("synchronize")))
    seen = await rows.reload(target)
    assert seen.state is TargetState.OPEN
    assert seen.reason == "person has pushed commits to the branch; Octobatch will not change it any more"
    assert await rows.event_types(target.run_id) == ["target.open"]


@pytest.mark.parametrize("event", ["ping", "push", "installation", "star"])
async def test_what_concerns_no_target_is_marked_handled(
    ctx: CampaignsContext, rows: Rows, target: Target, event: str
) -> None:
    command = await rows.delivery(event, {"action": "created", "repository": {"node_id": "R_1"}})
    await handle_webhook(ctx, command)
    assert await rows.operation_state(command) == "succeeded"
    assert await ctx.pool.fetchval("SELECT count(*) FROM webhook_deliveries WHERE handled_at IS NOT NULL") == 1
    assert await rows.reload(target) == target
