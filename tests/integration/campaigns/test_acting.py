"""Acting on a target's pull request: done once, also where the process died before it could be recorded."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from shared.clock import utcnow
from shared.domain.bulk import (
    ALL_TARGETS,
    BulkAction,
    BulkOperation,
    BulkParameters,
    BulkState,
    BulkTargetState,
)
from shared.domain.ids import BulkOperationId, CampaignId, InstallationId, RunId, TargetId, new_id
from shared.domain.target import ChecksState, ReviewState, Target, TargetState
from tests.github_sandbox import RunningSandbox
from tests.opened_pull_request import Opened, opened_pull_request
from workers.campaigns.acts.acting import Actor, ActOutcome


@pytest.fixture
async def opened(github: RunningSandbox) -> AsyncIterator[Opened]:
    async with opened_pull_request(github) as opened:
        yield opened


def _bulk(action: BulkAction, **parameters: Any) -> BulkOperation:
    return BulkOperation(
        id=BulkOperationId(new_id()),
        campaign_id=CampaignId(new_id()),
        campaign_name="fix",
        run_id=None,
        action=action,
        parameters=BulkParameters.model_validate(parameters),
        filter=ALL_TARGETS,
        state=BulkState.RUNNING,
        created_by="test",
        created_at=utcnow(),
        finished_at=None,
        counts={},
    )


async def _target(opened: Opened, state: TargetState = TargetState.OPEN) -> Target:
    return Target(
        id=TargetId(new_id()),
        run_id=RunId(new_id()),
        campaign_id=CampaignId(new_id()),
        repository_node_id=opened.repository_node_id,
        repository=opened.repository,
        installation_id=InstallationId(1),
        base_branch="main",
        base_oid=None,
        branch="fix",
        group="",
        state=state,
        review_state=ReviewState.NONE,
        checks_state=ChecksState.UNKNOWN,
        reason=None,
        diff_stat=None,
        pull_request=(await opened.look()).pull_request.ref,
        created_at=utcnow(),
        updated_at=utcnow(),
        head_oid=opened.head_oid,
    )


async def _act(opened: Opened, bulk: BulkOperation, target: Target) -> ActOutcome:
    heads = {target.head_oid} if target.head_oid else set[str]()
    return await Actor(opened.github, bulk, target, own_heads=heads, token=opened.token).act()


async def test_an_act_that_was_not_recorded_is_found_and_not_done_again(opened: Opened) -> None:
    target = await _target(opened)
    for bulk in (
        _bulk(BulkAction.COMMENT, body="Please merge."),
        _bulk(BulkAction.LABEL, labels=["bot"]),
        _bulk(BulkAction.REQUEST_REVIEW, users=["ada"], teams=["core"]),
    ):
        first = await _act(opened, bulk, target)  # and here the process dies
        assert (first.state, first.target_state) == (BulkTargetState.DONE, TargetState.OPEN)
        view = await opened.look()
        assert (await _act(opened, bulk, target)).state is BulkTargetState.DONE
        assert await opened.look() == view
    assert len((await opened.look()).comments) == 1
    another = await _act(opened, _bulk(BulkAction.COMMENT, body="Please merge."), target)
    assert another.state is BulkTargetState.DONE
    assert len((await opened.look()).comments) == 2  # another bulk operation says it again


async def test_closing_and_merging_move_the_target_and_leave_a_persons_commits(opened: Opened) -> None:
    target = await _target(opened)
    close = _bulk(BulkAction.CLOSE)
    outcome = await _act(opened, close, target)
    assert (outcome.state, outcome.target_state) == (BulkTargetState.DONE, TargetState.CLOSED)
    assert (await _act(opened, close, target)).state is BulkTargetState.DONE
    reopened = await _act(opened, _bulk(BulkAction.REOPEN), replace(target, state=TargetState.CLOSED))
    assert (reopened.state, reopened.target_state) == (BulkTargetState.DONE, TargetState.OPEN)
    person = {"branch": "fix", "files": {"more.txt": "more\n"}}
    opened.sandbox.ask("POST", f"repositories/{opened.repository}/commits", person)
    merged = await _act(opened, _bulk(BulkAction.MERGE, method="squash"), target)
    assert merged.state is BulkTargetState.SKIPPED
    assert merged.reason == "somebody has pushed commits to its branch"
    closed = await _act(opened, _bulk(BulkAction.CLOSE, delete_branch=True), target)
    assert (closed.state, closed.target_state) == (BulkTargetState.DONE, TargetState.CLOSED)
    assert closed.reason == "the branch stays: somebody has pushed commits to its branch"
    assert (await opened.look()).branch_oid is not None


async def test_what_github_refuses_fails_with_its_words(opened: Opened) -> None:
    target = await _target(opened)
    outcome = await _act(opened, _bulk(BulkAction.ENABLE_AUTO_MERGE), target)
    assert (outcome.state, outcome.target_state) == (BulkTargetState.FAILED, TargetState.OPEN)
    assert "clean status" in (outcome.reason or "")
    merged = await _act(opened, _bulk(BulkAction.MERGE), target)
    assert (merged.state, merged.target_state) == (BulkTargetState.DONE, TargetState.MERGED)
    assert (await _act(opened, _bulk(BulkAction.MERGE), target)).state is BulkTargetState.DONE
    late = await _act(opened, _bulk(BulkAction.CLOSE), target)
    assert (late.state, late.reason) == (BulkTargetState.SKIPPED, "is merged already")
    assert late.target_state is TargetState.MERGED


async def test_a_branch_without_a_pull_request_is_deleted(opened: Opened) -> None:
    target = replace(await _target(opened, TargetState.CANCELLED), pull_request=None)
    outcome = await _act(opened, _bulk(BulkAction.CLOSE, delete_branch=True), target)
    assert (outcome.state, outcome.target_state) == (BulkTargetState.DONE, TargetState.CANCELLED)
    assert (await opened.look()).branch_oid is None
