"""Delivering notifications: what is due is claimed, sent, and what became of it recorded, as with outgoing webhooks."""

from __future__ import annotations

import asyncio
import random
from datetime import timedelta

import structlog

from shared.clock import utcnow
from shared.domain.notifications import StoredNotification, channel_kind
from shared.domain.webhook_retries import Dead, Delivered, judge
from shared.observability import metrics
from shared.postgres import notifications, webhook_messages

from ..context import CampaignsContext
from .sending import send

AT_ONCE = 20

_log = structlog.get_logger(__name__)


async def deliver_notifications(ctx: CampaignsContext) -> None:
    """Sends what is due; returns when nothing is."""
    while True:
        async with ctx.pool.acquire() as conn:
            lease = timedelta(seconds=2 * ctx.settings.webhooks_timeout_seconds)
            claimed = await notifications.claim_due(conn, lease=lease, limit=AT_ONCE)
        if not claimed:
            return
        await asyncio.gather(*(_deliver(ctx, each) for each in claimed))


async def forget_notifications(ctx: CampaignsContext) -> None:
    """Removes from the log what is older than it keeps."""
    async with ctx.pool.acquire() as conn:
        older_than = timedelta(days=ctx.settings.webhooks_retention_days)
        while await notifications.forget_finished(conn, older_than=older_than):
            pass


async def show_messages(ctx: CampaignsContext) -> None:
    """Sets the gauges of what waits to be sent, and what was given up."""
    async with ctx.pool.acquire() as conn:
        for state, count in (await webhook_messages.count_unfinished(conn)).items():
            metrics.WEBHOOK_MESSAGES.labels(state).set(count)
        for state, count in (await notifications.count_unfinished(conn)).items():
            metrics.NOTIFICATIONS.labels(state).set(count)


async def _deliver(ctx: CampaignsContext, notification: StoredNotification) -> None:
    answer = await send(ctx, notification)
    outcome = (
        answer
        if isinstance(answer, Dead)
        else judge(
            answer,
            attempt=notification.attempts + 1,
            endpoint_failures=notification.attempts,
            tried_since=notification.tried_since,
            now=utcnow(),
            jitter=random.uniform(0.8, 1.2),  # noqa: S311 - spreads retries; guards nothing
        )
    )
    async with ctx.pool.acquire() as conn:
        await notifications.record_attempt(conn, notification.id, outcome)
    kind = channel_kind(notification.channel)
    metrics.NOTIFICATION_ATTEMPTS.labels(kind, type(outcome).__name__.lower()).inc()
    _log.info(
        "notification_attempted",
        notification_id=str(notification.id),
        campaign=notification.campaign,
        kind=kind,
        error=None if isinstance(outcome, Delivered) else outcome.why,
    )
