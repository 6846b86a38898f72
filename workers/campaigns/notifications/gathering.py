"""Gathering what people are told of a campaign: from what has happened to a message for each who wants to know.

A campaign's news are taken and its messages stored in one transaction: whoever dies loses nothing, and tells nothing
twice.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import timedelta

import structlog

from shared.clock import utcnow
from shared.domain.ids import CampaignId, RunId
from shared.domain.notifications import (
    OF_TARGETS,
    Notice,
    RunNews,
    channel_of,
    is_due,
    moments_of_event,
    notices_of,
    wanted_by,
)
from shared.domain.spec import Moment, Notification, parse_spec
from shared.errors import InvalidSpec
from shared.postgres import notifications, runs
from shared.postgres.notifications import Noted, TellingCampaign
from shared.postgres.pool import Connection
from shared.postgres.target_counts import count_by_state

from ..context import CampaignsContext

GATHER_SECONDS = 3.0

_ENDED = ("target.merged", "target.closed")

_log = structlog.get_logger(__name__)


async def gather_notifications(ctx: CampaignsContext) -> None:
    """Stores the messages that are due, of every campaign that something has happened to."""
    interval = timedelta(seconds=ctx.settings.notification_interval_seconds)
    async with ctx.pool.acquire() as conn:
        for campaign_id in await notifications.campaigns_with_news(conn):
            async with conn.transaction():
                await _gather(conn, campaign_id, interval)


async def _gather(conn: Connection, campaign_id: CampaignId, interval: timedelta) -> None:
    campaign = await notifications.hold_telling(conn, campaign_id)
    if campaign is None:
        return
    told = _who_is_told(campaign)
    oldest = await notifications.oldest_news(conn, campaign_id)
    unwanted = [each for each in oldest if not any(moments_of_event(each) & set(who.when) for who in told)]
    await notifications.take_news(conn, campaign_id, types=unwanted)
    ended = await notifications.take_news(conn, campaign_id, types=_ENDED)
    wanted = {type_: at for type_, at in oldest.items() if type_ not in {*unwanted, *_ENDED}}
    tells_of_merged = any(Moment.ALL_MERGED in who.when for who in told)
    merged = await notifications.mark_all_merged(conn, {each.run_id for each in ended} if tells_of_merged else ())
    if not is_due(wanted, has_merged=bool(merged), last_at=campaign.notified_at, interval=interval, now=utcnow()):
        return
    news = await notifications.take_news(conn, campaign_id, types=list(wanted))
    if tells_of_merged:  # before the run was completed, perhaps
        completed = {each.run_id for each in news if each.type == "run.completed"}
        merged |= await notifications.mark_all_merged(conn, completed)
    notices = [notice for run in await _news_of_runs(conn, news, merged) for notice in notices_of(run)]
    count = await _store(conn, campaign_id, told, notices)
    if count:
        await notifications.record_told(conn, campaign_id)
        _log.info("notifications_stored", campaign=campaign.name, messages=count, notices=len(notices))


def _who_is_told(campaign: TellingCampaign) -> Sequence[Notification]:
    try:
        return parse_spec(campaign.document).notifications
    except InvalidSpec:  # by the rules of today
        return ()


async def _news_of_runs(conn: Connection, news: Sequence[Noted], merged: Collection[RunId]) -> list[RunNews]:
    waiting = await notifications.targets_waiting(conn, {each.target_id for each in news if each.target_id})
    found: list[RunNews] = []
    for run_id in dict.fromkeys([*(each.run_id for each in news), *merged]):
        types = {each.type for each in news if each.run_id == run_id}
        run = await runs.get_run(conn, run_id)
        found.append(
            RunNews(
                run_id=run_id,
                dry_run=run.dry_run,
                is_scheduled=run.is_scheduled,
                counts=await count_by_state(conn, run_id),
                is_completed="run.completed" in types,
                error=(run.error or "") if "run.failed" in types else None,
                paused_by=run.paused_by if "run.paused" in types else None,  # None where it goes on again
                wave=max((each.wave for each in news if each.run_id == run_id and each.wave), default=None),
                is_all_merged=run_id in merged,
                targets=[
                    each
                    for each in waiting.get(run_id, ())
                    if f"target.{each.state}" in types and each.state in OF_TARGETS
                ],
            )
        )
    return found


async def _store(
    conn: Connection, campaign_id: CampaignId, told: Sequence[Notification], notices: Sequence[Notice]
) -> int:
    count = 0
    for who in told:
        if wanted := wanted_by(who, notices):
            await notifications.insert_notification(conn, campaign_id, channel=channel_of(who), notices=wanted)
            count += 1
    return count
