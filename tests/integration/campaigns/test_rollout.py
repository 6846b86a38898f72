"""Rollouts, pauses and failures of a run, over real Postgres and Valkey; GitHub is asked nothing."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from uuid import uuid4

import pytest

from gateway.runs.operations import cancel_run
from gateway.runs.pausing import pause_run, resume_run
from shared.clock import utcnow
from shared.domain import commands
from shared.domain.ids import CampaignId, RunId
from shared.domain.target import PullRequestRef, Target, TargetState
from shared.errors import Conflict, NotFound
from shared.postgres import runs
from tests.integration.campaigns.rows import SPEC, Rows
from tests.integration.campaigns.test_runs import make_selected
from workers.campaigns.context import CampaignsContext
from workers.campaigns.finishing import finish_run_if_settled, finish_settled_runs
from workers.campaigns.handlers import plan_run, prepare_target, prepare_targets, publish_target
from workers.campaigns.moves import move_target
from workers.campaigns.release.releasing import release_run, release_waiting

PULL_REQUEST = PullRequestRef(number=12, node_id="PR_12", url="https://github.test/acme/repo-1/pull/12")


async def make_run(rows: Rows, rollout: str, *, name: str = "notice") -> tuple[RunId, CampaignId]:
    campaign_id = await rows.campaign(name=name, document=SPEC.format(name=name) + rollout)
    return await rows.run(campaign_id), campaign_id


async def prepared(rows: Rows, run: tuple[RunId, CampaignId], count: int, *, per_repository: int = 1) -> list[Target]:
    return [
        await rows.target(*run, number=n // per_repository, base_branch=f"b{n}", branch=f"b{n}", state="prepared")
        for n in range(count)
    ]


async def test_no_more_pull_requests_are_open_than_max_open_and_each_that_ends_lets_one_follow(
    ctx: CampaignsContext, rows: Rows
) -> None:
    run_id, _ = run = await make_run(rows, "rollout: {maxOpen: 3}\n")
    targets = await prepared(rows, run, 5)
    for _ in range(2):  # what was released takes its room, whether it is at work yet or not
        await release_waiting(ctx)
        assert await rows.accepted("publish_target") == 3
    await ctx.pool.execute("UPDATE targets SET state = 'open' WHERE id = ANY($1)", [each.id for each in targets[:3]])
    assert await release_run(ctx, run_id, now=utcnow()) == 0
    async with ctx.pool.acquire() as conn:
        waits_for = (await runs.get_run(conn, run_id)).waits_for
    assert waits_for
    assert waits_for.text == "3 pull requests are open, the most that rollout.maxOpen allows"
    await ctx.pool.execute("UPDATE targets SET state = 'merged' WHERE id = $1", targets[0].id)
    await asyncio.gather(*(release_run(ctx, run_id, now=utcnow()) for _ in range(5)))  # as many workers as like
    assert await rows.accepted("publish_target") == 4
    await ctx.pool.execute("UPDATE targets SET detached_at = now() WHERE id = $1", targets[1].id)
    assert await release_run(ctx, run_id, now=utcnow()) == 1  # one that is left to people takes no room


async def test_max_open_counts_for_all_runs_of_the_campaign_and_updates_of_open_ones_need_no_room(
    ctx: CampaignsContext, rows: Rows
) -> None:
    earlier, campaign_id = await make_run(rows, "rollout: {maxOpen: 2, maxOpenPerRepo: 1}\n")
    for number in (0, 1):
        await rows.target(earlier, campaign_id, number=number, branch=f"b{number}", state="open")
    run = (await rows.run(campaign_id), campaign_id)
    targets = await prepared(rows, run, 4)
    assert await release_run(ctx, run[0], now=utcnow()) == 2
    await ctx.pool.execute("UPDATE targets SET state = 'merged' WHERE branch = 'b0'")
    assert await release_run(ctx, run[0], now=utcnow()) == 1
    waiting = await ctx.pool.fetch("SELECT id FROM targets WHERE state = 'prepared' AND released_at IS NULL")
    assert [row["id"] for row in waiting] == [targets[3].id]


async def test_a_repository_has_no_more_open_than_allowed_and_stops_no_other(ctx: CampaignsContext, rows: Rows) -> None:
    run_id, _ = run = await make_run(rows, "rollout: {maxOpenPerRepo: 2}\n")
    await prepared(rows, run, 9, per_repository=3)
    assert await release_run(ctx, run_id, now=utcnow()) == 6
    assert await release_run(ctx, run_id, now=utcnow()) == 0


async def test_a_wave_waits_for_the_gate_of_the_one_before(ctx: CampaignsContext, rows: Rows) -> None:
    run_id, _ = run = await make_run(
        rows, "rollout: {waves: [{percent: 20, gate: {merged: 0.5, checksPassed: 1}}, {percent: 100}]}\n"
    )
    targets = await prepared(rows, run, 10)
    await rows.target(*run, number=50, state="unchanged")
    assert [await release_run(ctx, run_id, now=utcnow()) for _ in range(2)] == [2, 0]
    await ctx.pool.execute("UPDATE targets SET state = 'merged' WHERE id = $1", targets[0].id)
    await ctx.pool.execute("UPDATE targets SET state = 'open' WHERE id = $1", targets[1].id)
    assert await release_run(ctx, run_id, now=utcnow()) == 0
    await ctx.pool.execute("UPDATE targets SET checks_state = 'passed' WHERE id = $1", targets[1].id)
    assert await rows.event_types(run_id) == []
    assert await release_run(ctx, run_id, now=utcnow()) == 8
    assert await rows.event_types(run_id) == ["run.wave"]


async def test_a_gate_that_was_passed_stays_so_while_the_next_wave_is_under_way(
    ctx: CampaignsContext, rows: Rows
) -> None:
    run_id, _ = run = await make_run(
        rows, "rollout: {maxOpen: 3, waves: [{percent: 20, gate: {merged: 1}}, {percent: 100}]}\n"
    )
    targets = await prepared(rows, run, 10)
    assert await release_run(ctx, run_id, now=utcnow()) == 2
    await ctx.pool.execute("UPDATE targets SET state = 'merged' WHERE id = ANY($1)", [each.id for each in targets[:2]])
    assert await release_run(ctx, run_id, now=utcnow()) == 3
    await ctx.pool.execute("UPDATE targets SET state = 'closed' WHERE id = $1", targets[2].id)
    assert await release_run(ctx, run_id, now=utcnow()) == 1
    assert await rows.event_types(run_id) == ["run.wave"]


async def test_a_rate_is_kept_over_time_and_nobody_looks_before_there_is_room(
    ctx: CampaignsContext, rows: Rows
) -> None:
    run_id, _ = run = await make_run(rows, "rollout: {windows: [{rate: 2/hour}]}\n")
    await prepared(rows, run, 5)
    now = utcnow()
    assert await release_run(ctx, run_id, now=now) == 2
    await release_waiting(ctx)
    assert await rows.accepted("publish_target") == 2
    async with ctx.pool.acquire() as conn:
        release_at = (await runs.get_run(conn, run_id)).release_at
    assert release_at == now + timedelta(hours=1)
    assert await release_run(ctx, run_id, now=release_at) == 2


async def test_nothing_of_a_paused_run_is_begun_or_published_and_resuming_loses_nothing(
    ctx: CampaignsContext, rows: Rows
) -> None:
    run = await make_run(rows, "")
    states = ("pending", "preparing", "prepared", "publishing", "open", "failed")
    targets = [await rows.target(*run, number=n, state=state) for n, state in enumerate(states)]
    old = [await rows.command(commands.publish_target(each, actor="t")) for each in targets[2:4]]
    for _ in range(2):
        assert (await pause_run(ctx.outbox, run[0], actor="mona")).paused_by == "mona"
    assert await rows.states(run[0]) == "paused paused paused paused open failed"
    await prepare_target(ctx, await rows.command(commands.prepare_target(targets[0], actor="t")))
    for command in old:
        await publish_target(ctx, command)
    await finish_settled_runs(ctx)
    async with ctx.outbox.transaction() as work:  # the worker that was at it ends
        assert await move_target(work, targets[1].id, to=TargetState.PREPARED) is None
        assert await move_target(work, targets[3].id, to=TargetState.OPEN, pull_request=PULL_REQUEST)
    await release_waiting(ctx)
    assert await rows.states(run[0]) == "paused paused paused open open failed"
    for _ in range(2):
        assert (await resume_run(ctx.outbox, run[0], actor="mona")).paused_at is None
    assert await rows.states(run[0]) == "pending pending prepared open open failed"
    await release_waiting(ctx)
    again = await ctx.pool.fetch("SELECT type, target_id FROM operations WHERE dedupe_key LIKE '%T%' ORDER BY type")
    assert [tuple(row) for row in again] == [("prepare_targets", None), ("publish_target", targets[2].id)]
    assert (await rows.event_types(run[0])).count("run.paused") == 1


async def test_targets_that_are_planned_or_begin_anew_in_a_paused_run_are_paused(
    ctx: CampaignsContext, rows: Rows
) -> None:
    run_id = await rows.planned_run(await rows.campaign(), [make_selected(n) for n in range(2)])
    await pause_run(ctx.outbox, run_id, actor="mona")
    await plan_run(ctx, await rows.command(commands.plan_run(run_id, actor="test")))
    assert await rows.states(run_id) == "paused paused"
    assert await rows.accepted("prepare_target") == 0
    [target, _] = await rows.targets_of(run_id)
    await ctx.pool.execute("UPDATE targets SET state = 'pending', attempt = 2 WHERE id = $1", target.id)
    await prepare_targets(
        ctx, await rows.command(commands.prepare_targets(run_id, target.installation_id, 0, actor="t"))
    )
    assert await rows.states(run_id) == "paused paused"
    await cancel_run(ctx.outbox, run_id)
    assert await rows.states(run_id) == "cancelled cancelled"
    with pytest.raises(Conflict, match="the run is cancelled"):
        await resume_run(ctx.outbox, run_id, actor="mona")


async def test_a_cancelled_rollout_releases_nothing_more(ctx: CampaignsContext, rows: Rows) -> None:
    run_id, _ = run = await make_run(rows, "rollout: {maxOpen: 1}\n")
    await prepared(rows, run, 3)
    await release_waiting(ctx)
    await cancel_run(ctx.outbox, run_id)
    await release_waiting(ctx)
    assert await rows.accepted("publish_target") == 1
    assert await rows.states(run_id) == "cancelled cancelled cancelled"


@pytest.mark.parametrize(("on_error", "failures"), [("fail-fast", 1), ("{maxFailures: 2}", 3)])
async def test_more_failures_than_allowed_end_the_run_once_and_cancel_the_rest(
    ctx: CampaignsContext, rows: Rows, on_error: str, failures: int
) -> None:
    campaign_id = await rows.campaign(document=SPEC.format(name="notice") + f"onError: {on_error}\n")
    run_id = await rows.planned_run(campaign_id, [make_selected(n) for n in range(8)])
    await plan_run(ctx, await rows.command(commands.plan_run(run_id, actor="test")))
    targets = await rows.targets_of(run_id)
    for target in targets[: failures - 1]:
        await ctx.pool.execute("UPDATE targets SET state = 'failed' WHERE id = $1", target.id)
        await finish_run_if_settled(ctx, run_id)
    assert await rows.run_state(run_id) == "running"
    await ctx.pool.execute("UPDATE targets SET state = 'failed' WHERE id = $1", targets[-1].id)
    await asyncio.gather(*(finish_run_if_settled(ctx, run_id) for _ in range(4)), finish_settled_runs(ctx))
    async with ctx.pool.acquire() as conn:
        run = await runs.get_run(conn, run_id)
    assert run.error == f"{failures} of 8 targets failed, more than onError allows ({failures - 1})"
    assert (await rows.event_types(run_id)).count("run.failed") == 1
    assert {target.state for target in await rows.targets_of(run_id)} == {TargetState.FAILED, TargetState.CANCELLED}


async def test_what_is_not_there_cannot_be_paused(ctx: CampaignsContext, rows: Rows) -> None:
    run_id = await rows.run(await rows.campaign(), state="completed")
    with pytest.raises(Conflict, match="the run is completed, and cannot be paused any more"):
        await pause_run(ctx.outbox, run_id, actor="mona")
    with pytest.raises(NotFound):
        await pause_run(ctx.outbox, uuid4(), actor="mona")
