"""Delivering webhooks: every message that is due, to each endpoint a few at once, so that a slow one holds up no other.

A message is claimed for a while, sent, and what became of it recorded. A process that ends in between leaves it due
again after that while: it is sent once more, under the same id.
"""

from __future__ import annotations

import asyncio
import random
import time
from datetime import timedelta

import structlog

from shared.auth.webhook_signing import signed_headers
from shared.clock import utcnow
from shared.domain.ids import WebhookEndpointId, new_id
from shared.domain.webhook_retries import Answer, Delivered, Gone, Outcome, judge
from shared.domain.webhooks import Told, WebhookAttempt, WebhookEndpoint, WebhookMessage, body_of
from shared.observability import metrics
from shared.postgres import webhook_endpoints, webhook_messages
from shared.postgres.pool import Connection

from ..context import CampaignsContext

LOOK_AGAIN_SECONDS = 1.0
"""How long another endpoint waits for its turn where all that are served are slow."""

WITHOUT_KEY_SECONDS = 60.0
HEADERS = {"Content-Type": "application/json", "User-Agent": "Octobatch"}

log = structlog.stdlib.get_logger(__name__)


async def deliver_webhooks(ctx: CampaignsContext) -> None:
    """Sends what is due, and what becomes due meanwhile; returns when nothing is.

    Raises the error that was met at one endpoint when the others have been served.
    """
    serving: dict[WebhookEndpointId, asyncio.Task[None]] = {}
    failed: dict[WebhookEndpointId, BaseException] = {}
    try:
        while True:
            for endpoint in await _due(ctx):
                if endpoint.id not in serving and endpoint.id not in failed:
                    serving[endpoint.id] = asyncio.create_task(_serve(ctx, endpoint))
            if not serving:
                break
            await asyncio.wait(serving.values(), timeout=LOOK_AGAIN_SECONDS, return_when=asyncio.FIRST_COMPLETED)
            for endpoint_id in [each for each, task in serving.items() if task.done()]:
                if error := serving.pop(endpoint_id).exception():
                    failed[endpoint_id] = error
    finally:
        for task in serving.values():
            task.cancel()
        await asyncio.gather(*serving.values(), return_exceptions=True)
    for error in failed.values():
        raise error


async def forget_webhooks(ctx: CampaignsContext) -> None:
    """Removes from the log what is older than it keeps."""
    async with ctx.pool.acquire() as conn:
        older_than = timedelta(days=ctx.settings.webhooks_retention_days)
        while await webhook_messages.forget_finished(conn, older_than=older_than):
            pass


async def _due(ctx: CampaignsContext) -> list[WebhookEndpoint]:
    async with ctx.pool.acquire() as conn:
        due = await webhook_endpoints.list_due(conn)
    if due and not ctx.settings.webhook_keys:
        log.warning("webhooks_wait_for_key", setting="OCTOBATCH_WEBHOOKS_SIGNING_KEY", endpoints=len(due))
        await asyncio.sleep(WITHOUT_KEY_SECONDS)  # so that the log says it once a minute
        return []
    return due


async def _serve(ctx: CampaignsContext, endpoint: WebhookEndpoint) -> None:
    """Sends a few messages at once; one alone to an endpoint that did not answer the last time."""
    limit = 1 if endpoint.failures else ctx.settings.webhooks_concurrency
    lease = timedelta(seconds=2 * ctx.webhooks.timeout_seconds)
    async with ctx.pool.acquire() as conn:
        claimed = await webhook_messages.claim_due(conn, endpoint.id, lease=lease, limit=limit)
    await asyncio.gather(*(_deliver(ctx, endpoint, message, told) for message, told in claimed))


async def _deliver(ctx: CampaignsContext, endpoint: WebhookEndpoint, message: WebhookMessage, told: Told) -> None:
    at, started = utcnow(), time.monotonic()
    answer = await _send(ctx, endpoint, message, body_of(told))
    outcome = judge(
        answer,
        attempt=message.attempts + 1,
        endpoint_failures=endpoint.failures,
        tried_since=message.tried_since,
        now=utcnow(),
        jitter=random.uniform(0.8, 1.2),  # noqa: S311 - spreads retries; guards nothing
    )
    attempt = WebhookAttempt(
        id=new_id(),
        attempted_at=at,
        duration_ms=round((time.monotonic() - started) * 1000),
        status=answer.status,
        response=answer.response if answer.status is not None else None,
        error=None if isinstance(outcome, Delivered) else outcome.why,
    )
    async with ctx.pool.acquire() as conn, conn.transaction():
        await _record_endpoint(conn, endpoint, outcome)  # before the message: everyone locks in this order
        await webhook_messages.record_attempt(conn, message, attempt, outcome)
    metrics.WEBHOOK_ATTEMPTS.labels(type(outcome).__name__.lower()).inc()
    log.info(
        "webhook_attempted",
        endpoint_id=str(endpoint.id),
        message_id=str(message.id),
        status=answer.status,
        error=attempt.error,
        duration_ms=attempt.duration_ms,
    )


async def _send(ctx: CampaignsContext, endpoint: WebhookEndpoint, message: WebhookMessage, body: bytes) -> Answer:
    at = utcnow()
    signed = signed_headers(
        body,
        message_id=message.id,
        at=at,
        endpoint_id=endpoint.id,
        generations=endpoint.generations(now=at),
        keys=ctx.settings.webhook_keys,
    )
    return await ctx.webhooks.send(endpoint.url, headers=HEADERS | signed, body=body)


async def _record_endpoint(conn: Connection, endpoint: WebhookEndpoint, outcome: Outcome) -> None:
    if isinstance(outcome, Gone):
        await webhook_endpoints.disable_endpoint(conn, endpoint.id, reason=outcome.why)
    elif isinstance(outcome, Delivered) or outcome.hold_until is None:
        await webhook_endpoints.record_answering(conn, endpoint.id)
    else:
        await webhook_endpoints.hold_endpoint(
            conn, endpoint.id, failures=endpoint.failures + 1, held_until=outcome.hold_until
        )
        await webhook_messages.bury_overdue(conn, endpoint.id, why=outcome.why)
