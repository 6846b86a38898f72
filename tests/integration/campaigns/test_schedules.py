"""Campaigns that run again by their schedule, over real Postgres and Valkey."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

from shared.domain import commands
from shared.domain.ids import CampaignId
from shared.postgres import campaign_schedules, runs
from tests.integration.campaigns.rows import SPEC, Rows
from tests.integration.campaigns.test_runs import make_selected
from workers.campaigns.context import CampaignsContext
from workers.campaigns.handlers import plan_run
from workers.campaigns.release.schedules import start_due

SIX = datetime(2026, 6, 1, 6, tzinfo=UTC)


async def scheduled(ctx: CampaignsContext, rows: Rows, schedule: str = 'schedule: "0 6 * * *"\n') -> CampaignId:
    campaign_id = await rows.campaign(document=SPEC.format(name="notice") + schedule)
    async with ctx.pool.acquire() as conn:
        await campaign_schedules.set_next_run(conn, campaign_id, SIX)
    return campaign_id


async def next_run(ctx: CampaignsContext) -> datetime | None:
    return await ctx.pool.fetchval("SELECT next_run_at FROM campaigns")


async def test_missed_times_are_made_up_for_by_one_run_however_many_look(ctx: CampaignsContext, rows: Rows) -> None:
    await scheduled(ctx, rows)
    assert await start_due(ctx.outbox, now=SIX - timedelta(seconds=1)) == []
    later = SIX + timedelta(days=3, hours=2)
    started = [
        run for found in await asyncio.gather(*(start_due(ctx.outbox, now=later) for _ in range(4))) for run in found
    ]
    assert len(started) == 1
    assert await next_run(ctx) == SIX + timedelta(days=4)
    assert await rows.accepted("select_repositories") == 1
    assert await rows.event_types(started[0]) == ["run.selecting"]
    async with ctx.pool.acquire() as conn:
        run = await runs.get_run(conn, started[0])
    assert (run.is_scheduled, run.dry_run, run.created_by) == (True, False, "schedule")


async def test_a_schedule_waits_for_the_run_before_and_an_archived_campaign_is_left_alone(
    ctx: CampaignsContext, rows: Rows
) -> None:
    campaign_id = await scheduled(ctx, rows)
    earlier = await rows.run(campaign_id, state="running")
    assert await start_due(ctx.outbox, now=SIX) == []
    assert await next_run(ctx) == SIX
    await ctx.pool.execute("UPDATE runs SET state = 'completed' WHERE id = $1", earlier)
    await ctx.pool.execute("UPDATE campaigns SET state = 'archived'")
    assert await start_due(ctx.outbox, now=SIX) == []
    await ctx.pool.execute("UPDATE campaigns SET state = 'active'")
    assert len(await start_due(ctx.outbox, now=SIX)) == 1


async def test_a_spec_without_a_schedule_is_not_run_again(ctx: CampaignsContext, rows: Rows) -> None:
    await scheduled(ctx, rows, "")
    assert await start_due(ctx.outbox, now=SIX) == []
    assert await next_run(ctx) is None


async def test_a_scheduled_run_adds_what_the_same_version_has_not_published(ctx: CampaignsContext, rows: Rows) -> None:
    campaign_id = await scheduled(ctx, rows)
    earlier = await rows.run(campaign_id, state="completed")
    states = ("open", "merged", "closed", "unchanged", "failed")
    for number, state in enumerate(states):
        await rows.target(earlier, campaign_id, number=number, state=state)
    run_id = await rows.planned_run(campaign_id, [make_selected(n) for n in range(7)])
    await ctx.pool.execute("UPDATE runs SET is_scheduled = true WHERE id = $1", run_id)
    await plan_run(ctx, await rows.command(commands.plan_run(run_id, actor="test")))
    assert [target.repository for target in await rows.targets_of(run_id)] == [f"acme/repo-{n}" for n in (3, 4, 5, 6)]
