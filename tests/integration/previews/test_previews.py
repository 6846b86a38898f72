"""A preview says what would come in the way of its pull requests, and publishes exactly what it showed."""

from __future__ import annotations

from shared.domain import commands
from shared.domain.ids import RunId
from shared.domain.target import TargetState
from shared.postgres import target_warnings
from tests.integration.following.world import BRANCH, SPEC, World, WorldMaker

REST = """\
  autoMerge: rebase
"""


async def preview(world: World) -> RunId:
    selected = [world.selected(each) for each in world.made.values()]
    run_id = await world.rows.planned_run(world.campaign_id, selected, dry_run=True)
    await world.rows.command(commands.plan_run(run_id, actor="test"))
    await world.work()
    return run_id


async def warnings(world: World) -> list[str]:
    """What the newest preview warns of, in its first repository."""
    run_id = await preview(world)
    found = await world.rows.targets_of(run_id)
    assert {target.state for target in found} == {TargetState.PREPARED}
    return sorted(found[0].warnings)


async def test_a_preview_warns_of_what_stands_on_github(make_world: WorldMaker) -> None:
    world = await make_world(rest=REST, repositories=2)
    quiet, loud = world.repositories[1], world.repositories[0]
    await world.ctx.pool.execute(
        "UPDATE installations SET permissions = $2 WHERE id = $1",
        world.installation_id,
        {"metadata": "read", "contents": "write", "pull_requests": "write"},
    )
    assert await warnings(world) == []

    rules = {
        "protected": {"main": {"reviews": 2, "checks": ["ci"]}},
        "rulesets": [
            {"name": "guarded", "include": ["refs/heads/octobatch/*"], "rules": ["CREATION", "COMMIT_MESSAGE_PATTERN"]},
            {"name": "elsewhere", "include": ["refs/heads/release-*"], "rules": ["CREATION"]},
        ],
    }
    world.sandbox.ask("PUT", f"repositories/{loud}/rules", rules)
    world.sandbox.ask("PATCH", f"repositories/{loud}", {"allow_auto_merge": False, "allow_rebase_merge": False})
    world.push(loud, {"theirs": "x"}, branch=BRANCH)
    await world.ctx.pool.execute("UPDATE installations SET permissions = $1", {"metadata": "read", "contents": "read"})
    assert await warnings(world) == [
        "autoMerge: the repository does not allow auto-merge",
        "autoMerge: the repository does not allow rebase merges",
        f"foreignCommits: {BRANCH} holds commits that Octobatch did not make; they would be left as they are",
        "permissions: the installation does not grant contents: write",
        "permissions: the installation does not grant pull_requests: write",
        "protection: main is protected; merging needs 2 approvals and the checks ci",
        f"rules: the ruleset guarded forbids creating it ({BRANCH}), unless the App may bypass it",
        f"rules: the ruleset guarded has a pattern for messages of commits ({BRANCH})",
    ]
    [newest, *_] = sorted({target.run_id for target in await world.targets()}, reverse=True)
    async with world.ctx.pool.acquire() as conn:
        counts = {each.kind: each for each in await target_warnings.count_warnings(conn, newest)}
    assert counts["protection"].repositories == (loud,)
    assert (counts["permissions"].count, counts["permissions"].repositories) == (2, (loud, quiet))


async def test_a_preview_tells_whose_pull_request_it_would_update(make_world: WorldMaker) -> None:
    world = await make_world()
    await world.apply()
    await world.work()
    [pull] = world.pulls()
    assert await warnings(world) == [
        "permissions: the installation does not grant contents: write",
        "permissions: the installation does not grant metadata: read",
        "permissions: the installation does not grant pull_requests: write",
        f"pullRequest: #{pull['number']} of an earlier run would be updated",
    ]


PARTS = """\
transformChanges:
  group: [{directory: web, branch: octobatch/a-web}]
"""


async def test_the_parts_of_a_change_are_previewed_and_published_like_any_other(make_world: WorldMaker) -> None:
    world = await make_world()
    [repository] = world.repositories
    name = f"{world.owner}-parts"
    document = SPEC.format(name=name, rest=PARTS).replace("path: c.yml", "path: web/c.yml")
    world.campaign_id = await world.rows.campaign(name=name, document=document)
    world.push(repository, {"web/c.yml": "a: 1\n"})
    world.push(repository, {"theirs": "x"}, branch="octobatch/a-web")
    preview_id = await preview(world)
    found = {target.branch: target for target in await world.rows.targets_of(preview_id)}
    assert found[BRANCH].state is TargetState.UNCHANGED
    assert any("foreignCommits: octobatch/a-web" in warning for warning in found["octobatch/a-web"].warnings)
    world.push(repository, {"theirs": None, "web/c.yml": "a: 1\n"}, branch="octobatch/a-web")

    world.push(repository, {"elsewhere": "x"})
    await publish(world, preview_id, moved="prepare")
    target = await world.target()
    assert (target.branch, target.state) == ("octobatch/a-web", TargetState.BLOCKED)
    assert "did not make" in (target.reason or "")


async def publish(world: World, preview_id: RunId, *, moved: str) -> RunId:
    """A run that publishes the preview."""
    run_id = await world.rows.run(world.campaign_id, state="planning")
    await world.ctx.pool.execute(
        "UPDATE runs SET preview_run_id = $2, moved = $3,"
        " selection_id = (SELECT selection_id FROM runs WHERE id = $2) WHERE id = $1",
        run_id,
        preview_id,
        moved,
    )
    await world.rows.command(commands.plan_run(run_id, actor="test"))
    await world.work()
    return run_id


async def test_a_preview_asks_for_what_stands_there_in_one_request(make_world: WorldMaker) -> None:
    world = await make_world(repositories=12)
    world.sandbox.ask("DELETE", "counters")
    await preview(world)
    assert world.sandbox.ask("GET", "counters")["graphql query"] <= 5


async def changes(world: World, run_id: RunId) -> dict[str, tuple[str, str]]:
    """State and digest of the change of each repository."""
    rows = await world.ctx.pool.fetch(
        "SELECT repository, state, sha256 FROM targets t JOIN artifacts a ON a.target_id = t.id AND a.kind = 'change'"
        " WHERE t.run_id = $1",
        run_id,
    )
    return {row["repository"]: (row["state"], row["sha256"]) for row in rows}


async def test_exactly_what_was_previewed_is_published_and_what_moved_is_not(make_world: WorldMaker) -> None:
    world = await make_world(repositories=3)
    preview_id = await preview(world)
    shown = await changes(world, preview_id)
    moved, *_ = world.repositories
    world.push(moved, {"c.yml": "a: 7\nb: 8\n"})
    run_id = await publish(world, preview_id, moved="block")
    published = await changes(world, run_id)
    assert {name: sha256 for name, (_, sha256) in published.items()} == {name: each[1] for name, each in shown.items()}
    assert {name for name, (state, _) in published.items() if state == "open"} == set(world.repositories[1:])
    [blocked] = [target for target in await world.rows.targets_of(run_id) if target.state is TargetState.BLOCKED]
    assert blocked.repository == moved
    assert (blocked.reason or "").startswith("main moved from ")

    anew = await changes(world, await publish(world, preview_id, moved="prepare"))
    assert {state for state, _ in anew.values()} == {"open"}
    assert anew[moved] != ("open", shown[moved][1])
    assert world.file(moved, "c.yml", branch=BRANCH) == "a: 100\nb: 8\n"
    assert len(world.pulls()) == 3
