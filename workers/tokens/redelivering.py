"""Webhooks that did not come in: GitHub sends none a second time by itself, so its log is swept for them.

Source: docs.github.com "Handling failed webhook deliveries". The log holds every attempt of the last days; those of
one delivery share its GUID.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog

from shared.clock import utcnow
from shared.errors import GitHubInvalid, GitHubNotFound
from shared.postgres import webhook_deliveries

from .context import TokensContext

SWEEP_SECONDS = 300.0

KEPT = timedelta(days=3)
"""GitHub sends again what is not older than this."""

MOST_PAGES = 20
"""Of a hundred attempts each. What failed before those, an earlier sweep has seen."""

MOST_AT_ONCE = 100
MOST_ATTEMPTS = 6
FIRST_PAUSE = timedelta(minutes=1)

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """One attempt to deliver a webhook. `guid` is the delivery's."""

    id: int
    guid: str
    delivered_at: datetime
    succeeded: bool


def to_redeliver(attempts: Iterable[Attempt], now: datetime) -> list[Attempt]:
    """The newest attempts of the deliveries that never succeeded and are due, oldest first.

    After each attempt the pause doubles, and after `MOST_ATTEMPTS` a delivery is given up.
    """
    by_guid: dict[str, list[Attempt]] = {}
    for attempt in attempts:
        by_guid.setdefault(attempt.guid, []).append(attempt)
    newest = [
        max(of_one, key=lambda each: each.delivered_at)
        for of_one in by_guid.values()
        if len(of_one) < MOST_ATTEMPTS and not any(each.succeeded for each in of_one)
    ]
    due = [
        attempt
        for attempt in newest
        if attempt.delivered_at + FIRST_PAUSE * 2 ** (len(by_guid[attempt.guid]) - 1) <= now
    ]
    return sorted(due, key=lambda attempt: attempt.delivered_at)


async def redeliver_failed(ctx: TokensContext) -> None:
    """One sweep."""
    await redeliver_due(ctx, now=utcnow())


async def redeliver_due(ctx: TokensContext, *, now: datetime) -> int:
    """Has GitHub send again what failed, is due and did not come in by another attempt; how many deliveries."""
    try:
        attempts = [attempt async for attempt in _attempts(ctx, since=now - KEPT)]
    except GitHubNotFound:  # the App has no webhook
        return 0
    due = to_redeliver(attempts, now)
    async with ctx.pool.acquire() as conn:
        known = await webhook_deliveries.known_among(conn, {attempt.guid for attempt in due})
    missing = [attempt for attempt in due if attempt.guid not in known][:MOST_AT_ONCE]
    for attempt in missing:
        try:
            await ctx.app.redeliver(attempt.id)
        except (GitHubNotFound, GitHubInvalid) as error:  # it is too old by now
            _log.warning("webhook_not_redelivered", delivery_id=attempt.guid, reason=str(error))
    if missing:
        _log.info("webhooks_redelivered", count=len(missing))
    return len(missing)


async def _attempts(ctx: TokensContext, *, since: datetime) -> AsyncIterator[Attempt]:
    pages = 0
    async for page in ctx.app.hook_delivery_pages():
        found = [_attempt(facts) for facts in page]
        for attempt in found:
            if attempt.delivered_at >= since:
                yield attempt
        pages += 1
        if pages >= MOST_PAGES or (found and found[-1].delivered_at < since):
            return


def _attempt(facts: Mapping[str, Any]) -> Attempt:
    return Attempt(
        id=facts["id"],
        guid=facts["guid"],
        delivered_at=datetime.fromisoformat(facts["delivered_at"]),
        succeeded=200 <= facts["status_code"] < 400,
    )
