"""Campaigns by schedule: what is due is taken and started in one transaction, so that no time is used twice."""

from __future__ import annotations

from datetime import datetime

import structlog

from shared.clock import utcnow
from shared.domain import commands
from shared.domain.campaign import Campaign
from shared.domain.event import run_event
from shared.domain.ids import RunId, SelectionId, new_id
from shared.domain.run import RunState
from shared.domain.selection_schedule import next_time
from shared.domain.spec import parse_spec
from shared.errors import InvalidSpec
from shared.outbox import Outbox, Work
from shared.postgres import campaign_schedules, campaigns, runs, selections

from ..context import CampaignsContext

CHECK_SECONDS = 10.0
ACTOR = "schedule"

_log = structlog.get_logger(__name__)


async def start_due_runs(ctx: CampaignsContext) -> None:
    """Starts what is due."""
    await start_due(ctx.outbox, now=utcnow())


async def start_due(outbox: Outbox, *, now: datetime) -> list[RunId]:
    """Starts a run of each campaign that is due at `now`. However many times were missed, one run makes up for them."""
    async with outbox.transaction() as work:
        due = await campaign_schedules.claim_due(work.conn, now=now)
        return [started for campaign in due if (started := await _start(work, campaign, now))]


async def _start(work: Work, campaign: Campaign, now: datetime) -> RunId | None:
    version = await campaigns.get_spec_version(work.conn, campaign.id, campaign.current_version)
    cron = _cron_in(version.document)
    next_run_at = next_time(cron, after=now) if cron else None
    await campaign_schedules.set_next_run(work.conn, campaign.id, next_run_at)
    if cron is None:
        _log.warning("schedule_ended", campaign=campaign.name)
        return None
    run_id, selection_id = RunId(new_id()), SelectionId(new_id())
    await selections.insert_selection_of_run(
        work.conn, campaign, version, run_id=run_id, selection_id=selection_id, created_by=ACTOR
    )
    await runs.insert_run(
        work.conn,
        run_id=run_id,
        campaign_id=campaign.id,
        spec_version=version.version,
        selection_id=selection_id,
        dry_run=False,
        created_by=ACTOR,
        is_scheduled=True,
    )
    await work.accept(commands.select_repositories(selection_id, actor=ACTOR, run_id=run_id))
    await work.emit(run_event(run_id, RunState.SELECTING, now=now))
    _log.info("run_scheduled", campaign=campaign.name, run_id=str(run_id))
    return run_id


def _cron_in(document: str) -> str | None:
    try:
        return parse_spec(document).schedule
    except InvalidSpec:  # of an older version: it is not run by itself, and other campaigns go on
        return None
