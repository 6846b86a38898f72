"""What is noticed and done about pull requests although no webhook ever arrives."""

from __future__ import annotations

from typing import Any

import pytest

from shared.domain.target import ChecksState, ReviewState, TargetState
from tests.integration.following.world import BRANCH, World, WorldMaker

CONFLICTING = {"c.yml": "a: 5\nb: 1\n"}


async def opened(make_world: WorldMaker, **values: Any) -> tuple[World, dict[str, Any]]:
    """A world whose only target is open, and its pull request."""
    world = await make_world(**values)
    await world.apply()
    await world.work()
    [pull] = world.pulls()
    assert (await world.target()).state is TargetState.OPEN
    return world, pull


async def test_a_conflict_is_rebased_once_for_a_base_and_keeps_its_pull_request(make_world: WorldMaker) -> None:
    world, pull = await opened(make_world)
    for number, content in enumerate(["a: 5\n", "a: 6\nb: 1\n"], start=2):
        base = world.push(pull["repository"], {"c.yml": content})
        await world.reconcile()
        await world.reconcile()
        target = await world.target()
        [now] = world.pulls()
        assert (target.state, target.attempt, target.base_oid) == (TargetState.OPEN, number, base)
        assert (now["number"], now["state"], now["head_sha"]) == (pull["number"], "open", target.head_oid)
        expected = content.replace("5", "100").replace("6", "100")
        assert world.file(pull["repository"], "c.yml", branch=BRANCH) == expected


@pytest.mark.parametrize("strategy", ["skip", "replace"])
async def test_a_conflict_is_only_told_where_the_spec_says_no_rebase(make_world: WorldMaker, strategy: str) -> None:
    world, pull = await opened(make_world, rest=f"  conflictStrategy: {strategy}\n")
    world.push(pull["repository"], CONFLICTING)
    await world.reconcile()
    target = await world.target()
    assert (target.state, target.attempt) == (TargetState.CONFLICTED, 1)


async def test_a_persons_commits_are_told_and_stay_whatever_conflicts(make_world: WorldMaker) -> None:
    world, pull = await opened(make_world)
    pushed = world.push(pull["repository"], {"mine.txt": "mine\n"}, branch=BRANCH)
    world.push(pull["repository"], CONFLICTING)
    await world.reconcile()
    target = await world.target()
    assert (target.state, target.attempt) == (TargetState.CONFLICTED, 1)
    assert str(target.reason).endswith("has pushed commits to the branch; Octobatch will not change it any more")
    assert world.pulls()[0]["head_sha"] == pushed


async def test_a_persons_commits_are_replaced_where_the_spec_says_overwrite(make_world: WorldMaker) -> None:
    world, pull = await opened(make_world, rest="  onForeignCommits: overwrite\n")
    world.push(pull["repository"], {"mine.txt": "mine\n"}, branch=BRANCH)
    world.push(pull["repository"], CONFLICTING)
    await world.reconcile()
    target = await world.target()
    assert (target.state, target.attempt) == (TargetState.OPEN, 2)
    assert world.pulls()[0]["head_sha"] == target.head_oid


async def test_a_rebase_whose_steps_fail_leaves_the_pull_request_in_conflict_with_the_reason(
    make_world: WorldMaker,
) -> None:
    world, pull = await opened(make_world)
    world.push(pull["repository"], {"c.yml": "a: [\n"})
    for _ in range(2):
        await world.reconcile()
        target = await world.target()
        assert (target.state, target.attempt) == (TargetState.CONFLICTED, 2)
        assert str(target.reason).startswith("the steps failed on the newest main: step 1")
        assert str(target.reason).endswith("; the pull request stays as it was")
    world.push(pull["repository"], {"c.yml": "a: 7\n"})
    await world.reconcile()
    assert (await world.target()).state is TargetState.OPEN


async def test_a_pull_request_that_the_base_has_made_needless_is_closed_and_says_so(make_world: WorldMaker) -> None:
    world, pull = await opened(make_world)
    world.push(pull["repository"], {"c.yml": "a: 100\nb: 1\n"})
    await world.reconcile()
    target = await world.target()
    assert (target.state, target.reason) == (TargetState.CLOSED, "the base branch has the whole change already")
    assert world.pulls()[0]["state"] == "closed"
    assert world.comments(pull) == ["`main` has this whole change already, so Octobatch has closed this pull request."]
    await world.reconcile()
    assert (await world.target()).reason == target.reason


async def test_a_branch_that_conflicts_after_every_rebase_is_left_to_a_person(make_world: WorldMaker) -> None:
    world, pull = await opened(make_world)
    for number in range(7):
        world.push(pull["repository"], {"c.yml": f"a: {number + 5}\n"})
        await world.reconcile()
    target = await world.target()
    assert (target.state, target.attempt) == (TargetState.CONFLICTED, 6)
    assert "after 5 rebases" in str(target.reason)


async def test_every_end_and_turn_of_a_pull_request_is_noticed(make_world: WorldMaker) -> None:
    world, pull = await opened(make_world)
    seen: list[TargetState] = []
    for act in ("close", "reopen", "merge"):
        world.act(act, pull)
        await world.reconcile()
        seen.append((await world.target()).state)
    assert seen == [TargetState.CLOSED, TargetState.OPEN, TargetState.MERGED]


async def test_a_target_on_its_way_again_whose_pull_request_is_merged_ends_merged(make_world: WorldMaker) -> None:
    world, pull = await opened(make_world)
    target = await world.target()
    await world.ctx.pool.execute("UPDATE targets SET state = 'failed'")
    world.act("merge", pull)
    await world.reconcile()
    assert (await world.rows.reload(target)).state is TargetState.MERGED


async def test_reviews_and_checks_are_noticed(make_world: WorldMaker) -> None:
    world, pull = await opened(make_world)
    seen: list[tuple[ReviewState, ChecksState]] = []
    for review, check in (("COMMENT", None), ("REQUEST_CHANGES", "failure"), ("APPROVE", "success")):
        world.act("reviews", pull, event=review)
        world.act("checks", pull, conclusion=check)
        await world.reconcile()
        target = await world.target()
        seen.append((target.review_state, target.checks_state))
    assert seen == [
        (ReviewState.COMMENTED, ChecksState.PENDING),
        (ReviewState.CHANGES_REQUESTED, ChecksState.FAILED),
        (ReviewState.APPROVED, ChecksState.PASSED),
    ]
