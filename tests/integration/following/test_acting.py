"""Hooks and auto-merge: once for a commit, by itself, and never a failure of the target."""

from __future__ import annotations

from typing import Any

from shared.domain import commands
from shared.domain.target import TargetState
from tests.integration.following.test_following import CONFLICTING, opened
from tests.integration.following.world import World, WorldMaker

ON_FAILURE = """\
hooks:
  onCIFailure:
    comment: "Checks of ${{ repository.name }}#${{ pull_request.number }} failed: ${{ checks.failed }}."
    labels: [broken]
    draft: true
  onMergeConflict: {comment: It conflicts., close: true}
"""


async def warnings(world: World) -> list[str]:
    return await world.ctx.pool.fetchval("SELECT warnings FROM targets")


async def test_failed_checks_are_acted_on_once_for_a_commit(make_world: WorldMaker) -> None:
    world, pull = await opened(make_world, rest=ON_FAILURE)
    world.act("checks", pull, conclusion="failure")
    await world.reconcile()
    [now] = world.pulls()
    assert (now["draft"], now["labels"]) == (True, ["broken"])
    assert (await world.target()).state is TargetState.DRAFT
    await world.reconcile()
    again = await world.rows.command(
        commands.run_hook(await world.target(), hook="onCIFailure", head_oid=pull["head_sha"]), attempt=2
    )
    await world.run(again)
    [comment] = world.comments(pull)
    assert comment.startswith(f"Checks of {pull['repository']}#{pull['number']} failed: ci.\n")


async def test_a_conflict_that_is_not_rebased_away_is_acted_on(make_world: WorldMaker) -> None:
    world, pull = await opened(make_world, rest=f"  conflictStrategy: replace\n{ON_FAILURE}")
    world.push(pull["repository"], CONFLICTING)
    await world.reconcile()
    assert (await world.target()).state is TargetState.CLOSED
    assert world.pulls()[0]["state"] == "closed"
    assert len(world.comments(pull)) == 1


async def test_a_conflict_that_is_rebased_away_is_not_acted_on(make_world: WorldMaker) -> None:
    world, pull = await opened(make_world, rest=ON_FAILURE)
    world.push(pull["repository"], {"c.yml": "a: 5\n"})
    await world.reconcile()
    assert (await world.target()).state is TargetState.OPEN
    assert world.comments(pull) == []


async def test_a_hook_can_have_the_steps_run_again(make_world: WorldMaker) -> None:
    world, pull = await opened(make_world, rest="hooks: {onCIFailure: {rerun: true}}\n")
    world.push(pull["repository"], {"README": "other\n"})
    world.act("checks", pull, conclusion="failure")
    await world.reconcile()
    target = await world.target()
    assert (target.state, target.attempt) == (TargetState.OPEN, 2)
    assert world.pulls()[0]["head_sha"] == target.head_oid != pull["head_sha"]


async def _auto_merging(make_world: WorldMaker, *, allowed: bool) -> tuple[World, dict[str, Any]]:
    world, pull = await opened(make_world, rest="  autoMerge: squash\n")
    world.sandbox.ask("PATCH", f"repositories/{pull['repository']}", {"allow_auto_merge": allowed})
    return world, pull


async def test_a_pull_request_with_nothing_to_wait_for_is_merged_at_once(make_world: WorldMaker) -> None:
    world, _ = await _auto_merging(make_world, allowed=True)
    await world.reconcile()
    assert (await world.target()).state is TargetState.MERGED
    assert await warnings(world) == []


async def test_github_merges_once_the_checks_passed(make_world: WorldMaker) -> None:
    world, pull = await _auto_merging(make_world, allowed=True)
    world.act("checks", pull)
    await world.reconcile()
    assert (await world.target()).state is TargetState.OPEN
    world.act("checks", pull, conclusion="success")
    assert world.pulls()[0]["state"] == "merged"
    await world.reconcile()
    assert (await world.target()).state is TargetState.MERGED


async def test_a_repository_that_allows_no_auto_merge_is_a_warning(make_world: WorldMaker) -> None:
    world, _ = await _auto_merging(make_world, allowed=False)
    await world.reconcile()
    await world.reconcile()
    assert (await world.target()).state is TargetState.OPEN
    [warning] = await warnings(world)
    assert "Auto merge is not allowed for this repository" in warning
