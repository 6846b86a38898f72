"""How a run is planned, given up and completed, over real Postgres and Valkey."""

from __future__ import annotations

import pytest

from shared.domain import commands
from shared.domain.ids import InstallationId
from shared.domain.repository import Repository
from shared.domain.selection import SelectedRepository
from shared.domain.target import PublishAs, TargetState
from shared.errors import AlreadyDone
from tests.integration.campaigns.rows import Rows
from workers.campaigns.context import CampaignsContext
from workers.campaigns.finishing import finish_run_if_settled, finish_settled_runs
from workers.campaigns.handlers import give_up, plan_run, prepare_target, publish_target


def make_selected(number: int, *, included: bool = True) -> SelectedRepository:
    repository = Repository(
        node_id=f"R_{number}",
        database_id=number,
        name_with_owner=f"acme/repo-{number}",
        default_branch="main",
        head_oid="a" * 40,
        installation_id=InstallationId(7),
    )
    return SelectedRepository(
        repository=repository, branch="main", head_oid="a" * 40, included=included, entry=0, reason=""
    )


async def test_planning_makes_each_included_repository_a_target_with_a_command(
    ctx: CampaignsContext, rows: Rows
) -> None:
    selected = [make_selected(n, included=n % 4 != 0) for n in range(100)]
    run_id = await rows.planned_run(await rows.campaign(), selected)
    command = await rows.command(commands.plan_run(run_id, actor="test"))
    await plan_run(ctx, command)
    planned = await rows.targets_of(run_id)
    assert [target.repository for target in planned] == [f"acme/repo-{n}" for n in range(100) if n % 4]
    assert {(target.branch, target.publish_as) for target in planned} == {("octobatch/notice", PublishAs.OPEN)}
    assert await rows.accepted("prepare_targets") == 1
    assert await rows.run_state(run_id) == "running"
    assert await rows.event_types(run_id) == ["run.running"]
    with pytest.raises(AlreadyDone):
        await plan_run(ctx, command)
    assert len(await rows.targets_of(run_id)) == 75


async def test_a_selection_of_nothing_completes_its_run(ctx: CampaignsContext, rows: Rows) -> None:
    run_id = await rows.planned_run(await rows.campaign(), [make_selected(1, included=False)])
    await plan_run(ctx, await rows.command(commands.plan_run(run_id, actor="test")))
    assert await rows.run_state(run_id) == "completed"
    assert await rows.event_types(run_id) == ["run.completed"]


async def test_a_run_cancelled_before_planning_is_not_planned(ctx: CampaignsContext, rows: Rows) -> None:
    run_id = await rows.planned_run(await rows.campaign(), [make_selected(1)])
    await ctx.pool.execute("UPDATE runs SET state = 'cancelled' WHERE id = $1", run_id)
    command = await rows.command(commands.plan_run(run_id, actor="test"))
    await plan_run(ctx, command)
    assert await rows.targets_of(run_id) == []
    assert await rows.operation_state(command) == "succeeded"


async def test_a_planning_that_is_given_up_fails_its_run_with_the_error(ctx: CampaignsContext, rows: Rows) -> None:
    run_id = await rows.planned_run(await rows.campaign(), [make_selected(1)])
    await give_up(ctx, await rows.command(commands.plan_run(run_id, actor="test")), "no luck")
    assert await rows.run_state(run_id) == "failed"
    assert await ctx.pool.fetchval("SELECT error FROM runs") == "no luck"
    assert await rows.event_types(run_id) == ["run.failed"]


async def test_a_target_that_is_given_up_fails_and_lets_its_run_end(ctx: CampaignsContext, rows: Rows) -> None:
    campaign_id = await rows.campaign()
    run_id = await rows.run(campaign_id)
    preparing = await rows.target(run_id, campaign_id, number=1, state="preparing")
    publishing = await rows.target(run_id, campaign_id, number=2, state="publishing")
    prepare = commands.prepare_target(preparing, actor="test")
    await give_up(ctx, await rows.command(prepare), "TypeError: oh")
    assert (await rows.reload(preparing)).reason == "TypeError: oh"
    assert await rows.run_state(run_id) == "running"
    publish = commands.publish_target(publishing, actor="test")
    await give_up(ctx, await rows.command(publish), "GitHub is down")
    assert (await rows.reload(publishing)).state is TargetState.FAILED
    assert await rows.run_state(run_id) == "completed"
    assert await rows.event_types(run_id) == ["target.failed", "target.failed", "run.completed"]


async def test_giving_up_does_not_touch_what_is_settled(ctx: CampaignsContext, rows: Rows) -> None:
    campaign_id = await rows.campaign()
    run_id = await rows.run(campaign_id)
    target = await rows.target(run_id, campaign_id, state="merged")
    await give_up(ctx, await rows.command(commands.publish_target(target, actor="t")), "late")
    assert await rows.reload(target) == target


async def test_the_sweep_completes_a_run_whose_last_worker_died_before_it_looked(
    ctx: CampaignsContext, rows: Rows
) -> None:
    campaign_id = await rows.campaign()
    settled, unsettled = await rows.run(campaign_id), await rows.run(campaign_id)
    await rows.target(settled, campaign_id, state="open")
    await rows.target(unsettled, campaign_id, state="publishing")
    await finish_settled_runs(ctx)
    await finish_settled_runs(ctx)
    assert await rows.run_state(settled) == "completed"
    assert await rows.run_state(unsettled) == "running"
    assert await rows.event_types(settled) == ["run.completed"]


async def test_a_cancelled_run_is_not_completed(ctx: CampaignsContext, rows: Rows) -> None:
    campaign_id = await rows.campaign()
    run_id = await rows.run(campaign_id, state="cancelled")
    await rows.target(run_id, campaign_id, state="cancelled")
    await finish_run_if_settled(ctx, run_id)
    assert await rows.run_state(run_id) == "cancelled"


@pytest.mark.parametrize("state", ["cancelled", "merged", "open", "unchanged", "failed"])
async def test_a_command_for_a_settled_target_does_nothing(ctx: CampaignsContext, rows: Rows, state: str) -> None:
    campaign_id = await rows.campaign()
    run_id = await rows.run(campaign_id)
    target = await rows.target(run_id, campaign_id, state=state)
    await prepare_target(ctx, await rows.command(commands.prepare_target(target, actor="t")))
    await publish_target(ctx, await rows.command(commands.publish_target(target, actor="t")))
    assert await rows.reload(target) == target
