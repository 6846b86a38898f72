"""Bulk operations on a campaign's targets, from the request to what stands on the sandbox."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from gateway.bulk.operations import BulkRequest, scope_of_run, start_bulk_operation
from shared.domain.bulk import BulkAction, BulkOperation, BulkParameters, BulkState, BulkTargetState, TargetFilter
from shared.domain.ids import RunId
from shared.domain.target import TargetState
from shared.outbox import Outbox
from shared.postgres import bulk_operations
from tests.integration.following.conftest import WorldMaker
from tests.integration.following.world import BRANCH, World
from workers.campaigns.release.releasing import release_waiting


async def _start(world: World, run_id: RunId, action: BulkAction, *, wanted: str = "", **given: Any) -> BulkOperation:
    async with world.ctx.pool.acquire() as conn:
        scope = await scope_of_run(conn, run_id, action)
    asked = BulkRequest(
        scope=scope,
        action=action,
        parameters=BulkParameters.model_validate(given),
        wanted=TargetFilter.model_validate({"repository": wanted} if wanted else {}),
    )
    return await start_bulk_operation(world.ctx.outbox, asked, actor="key:ada", idempotency_key=None)


async def _done(world: World, run_id: RunId, action: BulkAction, *, wanted: str = "", **given: Any) -> BulkOperation:
    """The bulk operation when no command waits any more."""
    bulk = await _start(world, run_id, action, wanted=wanted, **given)
    await world.work()
    return await _reload(world, bulk)


async def _reload(world: World, bulk: BulkOperation) -> BulkOperation:
    async with world.ctx.pool.acquire() as conn:
        return await bulk_operations.get_bulk_operation(conn, bulk.id)


async def _states(world: World) -> list[TargetState]:
    return [target.state for target in await world.targets()]


class _Died(Exception):
    """The process is no more."""


class _DiesBeforeItRecords(Outbox):
    """Transactions as a process finds them that dies when it wants to begin one."""

    def __init__(self) -> None: ...

    def transaction(self, **_: Any) -> Any:
        raise _Died


async def test_pull_requests_are_commented_on_labelled_merged_and_closed(make_world: WorldMaker) -> None:
    world = await make_world(repositories=3)
    run_id = await world.apply()
    await world.work()
    commented = await _done(world, run_id, BulkAction.COMMENT, body="Please merge.")
    assert (commented.state, commented.counts) == (BulkState.COMPLETED, {BulkTargetState.DONE: 3})
    assert all(len(world.comments(pull)) == 1 for pull in world.pulls())
    await _done(world, run_id, BulkAction.LABEL, wanted="r-0", labels=["bot"])
    assert {pull["repository"] for pull in world.pulls() if pull["labels"] == ["bot"]} == {world.repositories[0]}
    await _done(world, run_id, BulkAction.MERGE, wanted="*/r-[01]", method="squash")
    assert await _states(world) == [TargetState.MERGED, TargetState.MERGED, TargetState.OPEN]
    closed = await _done(world, run_id, BulkAction.CLOSE, delete_branch=True)
    assert closed.counts == {BulkTargetState.DONE: 1, BulkTargetState.SKIPPED: 2}
    assert {pull["repository"] for pull in world.pulls() if pull["state"] == "merged"} == set(world.repositories[:2])
    assert await _states(world) == [TargetState.MERGED, TargetState.MERGED, TargetState.CLOSED]
    token = world.sandbox.token(world.installation_id)
    with world.sandbox.client(token) as client:
        assert client.get(f"repos/{world.repositories[2]}/git/ref/heads/{BRANCH}").status_code == 404
    acted = await world.ctx.pool.fetch("SELECT payload->>'action' AS action FROM events WHERE type = 'target.acted'")
    assert sorted(row["action"] for row in acted) == ["close", *["comment"] * 3, "label", "merge", "merge"]


async def test_a_comment_is_made_once_although_the_process_died_before_it_was_recorded(
    make_world: WorldMaker,
) -> None:
    world = await make_world()
    run_id = await world.apply()
    await world.work()
    bulk = await _start(world, run_id, BulkAction.COMMENT, body="Please merge.")
    [start] = await world.waiting()
    await world.run(start)
    [act] = await world.waiting()
    with pytest.raises(_Died):
        await world.run(act, ctx=replace(world.ctx, outbox=_DiesBeforeItRecords()))
    assert len(world.comments(world.pulls()[0])) == 1
    assert (await _reload(world, bulk)).counts == {BulkTargetState.PENDING: 1}
    await world.work()
    assert len(world.comments(world.pulls()[0])) == 1
    assert (await _reload(world, bulk)).counts == {BulkTargetState.DONE: 1}
    await world.run(act)  # delivered once more
    assert len(world.comments(world.pulls()[0])) == 1


async def test_what_is_prepared_is_published_and_a_draft_made_ready(make_world: WorldMaker) -> None:
    world = await make_world(rest="  published: false\n")
    run_id = await world.apply()
    await world.work()
    assert await _states(world) == [TargetState.PREPARED]
    assert (await _done(world, run_id, BulkAction.PUBLISH, draft=True)).counts == {BulkTargetState.DONE: 1}
    await release_waiting(world.ctx)
    await world.work()
    assert await _states(world) == [TargetState.DRAFT]
    await _done(world, run_id, BulkAction.UNDRAFT)
    assert await _states(world) == [TargetState.OPEN]
    assert [pull["draft"] for pull in world.pulls()] == [False]


async def test_steps_run_again_where_they_are_asked_to_and_a_detached_target_is_left_to_people(
    make_world: WorldMaker,
) -> None:
    world = await make_world()
    run_id = await world.apply()
    await world.work()
    retried = await _done(world, run_id, BulkAction.RETRY)
    assert retried.counts == {BulkTargetState.SKIPPED: 1}
    world.push(world.repositories[0], {"more.txt": "more\n"})
    assert (await _done(world, run_id, BulkAction.REBASE)).counts == {BulkTargetState.DONE: 1}
    target = await world.target()
    assert (target.state, target.attempt) == (TargetState.OPEN, 2)
    assert world.file(world.repositories[0], "more.txt", branch=BRANCH) == "more\n"
    await _done(world, run_id, BulkAction.DETACH)
    world.act("merge", world.pulls()[0])
    await world.reconcile()
    assert await _states(world) == [TargetState.OPEN]
    assert (await _done(world, run_id, BulkAction.CLOSE)).counts == {BulkTargetState.SKIPPED: 1}
    assert (await _done(world, run_id, BulkAction.ATTACH)).counts == {BulkTargetState.DONE: 1}
    await world.reconcile()
    assert await _states(world) == [TargetState.MERGED]


async def test_a_cancelled_bulk_operation_acts_on_nothing_more(make_world: WorldMaker) -> None:
    world = await make_world(repositories=2)
    run_id = await world.apply()
    await world.work()
    bulk = await _start(world, run_id, BulkAction.CLOSE)
    [start] = await world.waiting()
    await world.run(start)
    first, _ = await world.waiting()
    await world.run(first)
    async with world.ctx.pool.acquire() as conn:
        await bulk_operations.cancel_bulk_operation(conn, bulk.id)
    await world.work()
    assert sorted(await _states(world)) == [TargetState.CLOSED, TargetState.OPEN]
    cancelled = await _reload(world, bulk)
    assert (cancelled.state, cancelled.counts) == (
        BulkState.CANCELLED,
        {BulkTargetState.DONE: 1, BulkTargetState.CANCELLED: 1},
    )
