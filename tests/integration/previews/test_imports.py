"""Pull requests that people made: followed with the campaign's own, and left to people."""

from __future__ import annotations

import json
from typing import Any

from shared.domain.target import ReviewState, Target, TargetState
from tests.integration.following.world import BRANCH, SPEC, World, WorldMaker


def open_by_hand(world: World, repository: str, branch: str) -> int:
    """A person's pull request; its number."""
    world.push(repository, {"theirs": branch}, branch=branch)
    token = world.sandbox.token(world.installation_id)
    with world.sandbox.client(token) as client:
        made = client.post(f"repos/{repository}/pulls", json={"title": branch, "head": branch, "base": "main"})
    return made.raise_for_status().json()["number"]


async def imported(world: World) -> dict[str, Target]:
    return {each.group: each for each in await world.targets() if each.is_imported}


async def set_imports(world: World, entries: list[dict[str, Any]]) -> None:
    """From now on the world's campaign is one that imports these."""
    name = f"{world.owner}-imports"
    document = SPEC.format(name=name, rest=f"importChangesets: {json.dumps(entries)}\n")
    world.campaign_id = await world.rows.campaign(name=name, document=document)


async def test_imported_pull_requests_are_followed_and_left_as_they_are(make_world: WorldMaker) -> None:
    world = await make_world(repositories=2)
    repository = world.repositories[0]
    numbers = [open_by_hand(world, repository, f"by-hand-{n}") for n in range(2)]
    await set_imports(
        world,
        [
            {"repository": repository, "externalIDs": [*numbers, 999]},
            {"repository": "elsewhere/api", "externalIDs": [1]},
        ],
    )
    await world.apply()
    await world.work()
    found = await imported(world)
    first, second = found[f"#{numbers[0]}"], found[f"#{numbers[1]}"]
    assert (first.state, first.branch, first.base_branch) == (TargetState.OPEN, "by-hand-0", "main")
    assert first.pull_request
    assert first.pull_request.number == numbers[0]
    assert "no pull request #999" in (found[f"{repository}#999"].reason or "")
    assert found["elsewhere/api#1"].reason == "the App is not installed on elsewhere"
    assert {each.branch for each in await world.targets() if not each.is_imported} == {BRANCH}

    bodies = {pull["number"]: pull for pull in world.pulls() if pull["repository"] == repository}
    world.act("reviews", bodies[numbers[0]], event="APPROVE")
    world.act("merge", bodies[numbers[1]])
    world.push(repository, {"theirs": "conflict"})
    before = world.sandbox.ask("GET", f"repositories/{repository}")["branches"]
    await world.reconcile()
    await world.reconcile()
    first, second = [(await imported(world))[f"#{number}"] for number in numbers]
    assert (first.state, first.review_state) == (TargetState.CONFLICTED, ReviewState.APPROVED)
    assert second.state is TargetState.MERGED
    after = world.sandbox.ask("GET", f"repositories/{repository}")["branches"]
    assert before["by-hand-0"] == after["by-hand-0"]
    assert first.reason is None
