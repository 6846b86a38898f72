"""The parts of a change become targets of their own, with all that belongs to them, in one transaction."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from shared.domain import commands
from shared.domain.artifact import ArtifactKind
from shared.domain.change import ChangePart, FileChange, PreparedChange
from shared.domain.spec import parse_spec
from shared.domain.target import DiffStat, PublishAs, Target, TargetState
from shared.postgres import artifacts
from tests.integration.campaigns.rows import SPEC, Rows
from workers.campaigns.context import CampaignsContext
from workers.campaigns.preparation.preparing import preparation_of, record, store

CHANGE = PreparedChange(
    base_oid="b" * 40,
    prepared_at=datetime(2026, 1, 1, tzinfo=UTC),
    files=(FileChange(path="a", content=b"a"),),
    stat=DiffStat(files=1, additions=1, deletions=0),
    title="T",
    body="B",
    commit_message="M",
    log=b"log\n",
)
PARTS = (
    ChangePart(group="web", branch="x-web", change=CHANGE),
    ChangePart(group="@mona", branch="-mona", change=CHANGE),
)
NOTHING_LEFT = replace(
    CHANGE, files=(), why_empty="all that changed is in the pull requests of web, @mona", parts=PARTS
)


async def _record(ctx: CampaignsContext, target: Target, change: PreparedChange) -> None:
    spec = parse_spec(SPEC.format(name="notice"))
    preparation = preparation_of(target, change, spec=spec)
    stored = await store(ctx, target, preparation)
    async with ctx.outbox.transaction() as work:
        await record(work, target, preparation, stored, spec=spec, actor="test")


async def test_parts_are_targets_with_branches_artifacts_events_and_commands(ctx: CampaignsContext, rows: Rows) -> None:
    campaign_id = await rows.campaign()
    run_id = await rows.run(campaign_id)
    planned = await rows.target(run_id, campaign_id, state="preparing", base_branch="release", branch="x-release")
    await _record(ctx, planned, NOTHING_LEFT)
    await _record(ctx, planned, NOTHING_LEFT)  # a delivery that is repeated changes nothing
    found = {target.group: target for target in await rows.targets_of(run_id)}
    assert found[""].state is TargetState.UNCHANGED
    assert found[""].reason == NOTHING_LEFT.why_empty
    assert {group: (each.branch, each.state) for group, each in found.items() if group} == {
        "web": ("x-web-release", TargetState.PREPARED),
        "@mona": ("x-release-mona", TargetState.PREPARED),
    }
    assert found["web"].diff_stat == CHANGE.stat
    async with ctx.pool.acquire() as conn:
        kinds = {each.kind for each in await artifacts.fetch_artifacts(conn, found["web"].id)}
    assert kinds == set(ArtifactKind)
    assert sorted(await rows.event_types(run_id)) == ["target.prepared", "target.prepared", "target.unchanged"]
    assert await rows.accepted("publish_target") == 2


async def test_parts_of_a_preview_wait_and_nothing_comes_of_a_cancelled_target(
    ctx: CampaignsContext, rows: Rows
) -> None:
    campaign_id = await rows.campaign()
    run_id = await rows.run(campaign_id)
    preview = await rows.target(run_id, campaign_id, number=1, state="preparing", publish_as=PublishAs.NONE)
    cancelled = await rows.target(run_id, campaign_id, number=2, state="cancelled")
    for target in (preview, cancelled):
        await _record(ctx, target, replace(CHANGE, parts=PARTS))
    assert len(await rows.targets_of(run_id)) == 4
    assert await rows.accepted("publish_target") == 0


async def test_a_part_that_is_prepared_again_takes_its_own_and_one_that_vanished_may_come_back(
    ctx: CampaignsContext, rows: Rows
) -> None:
    campaign_id = await rows.campaign()
    run_id = await rows.run(campaign_id)
    planned = await rows.target(run_id, campaign_id, state="preparing")
    await _record(ctx, planned, replace(CHANGE, parts=PARTS))
    web = next(target for target in await rows.targets_of(run_id) if target.group == "web")
    await ctx.pool.execute("UPDATE targets SET state = 'preparing' WHERE id = ANY($1)", [web.id, planned.id])
    await _record(ctx, web, replace(CHANGE, parts=PARTS[1:]))
    gone = await rows.reload(web)
    assert (gone.state, gone.reason) == (TargetState.UNCHANGED, "the steps change nothing any more that belongs to web")
    await _record(ctx, planned, replace(CHANGE, parts=PARTS))
    assert (await rows.reload(web)).state is TargetState.PENDING
    assert await rows.accepted(commands.prepare_target(web, actor="t").type) == 1
    assert len(await rows.targets_of(run_id)) == 3
