"""Notifications in Postgres: what has happened that may be told, and each message.

What may be told is noted in the transaction of its event (`events.insert_events`), for campaigns that tell anybody.
"""

# ruff: noqa: S608  # the only thing put into SQL here is the list of columns

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import asyncpg

from ..domain.event import Event
from ..domain.ids import CampaignId, NotificationId, RunId, TargetId, new_id
from ..domain.notifications import NOTABLE_EVENTS, OF_TARGETS, Notice, StoredNotification, TargetNews
from ..domain.target import TargetState
from ..domain.webhook_retries import Outcome, stored_as
from ..domain.webhooks import MessageState
from .pool import Connection

_COLUMNS = "id, campaign_id, channel, notices, state, attempts, tried_since, due_at, error, created_at, finished_at"

_OPEN = tuple(
    state.value
    for state in TargetState
    if state
    not in {TargetState.MERGED, TargetState.CLOSED, TargetState.UNCHANGED, TargetState.CANCELLED, TargetState.FAILED}
)


@dataclass(frozen=True, kw_only=True)
class TellingCampaign:
    """A campaign that has news, with the newest version of its spec; `notified_at` is when it told something last."""

    id: CampaignId
    name: str
    document: str
    notified_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class Noted:
    """An event that may be told; `wave` is the number of the one that begins, of `run.wave`."""

    type: str
    run_id: RunId
    target_id: TargetId | None
    wave: int | None


async def note_events(conn: Connection, events: Sequence[Event]) -> None:
    """Notes those of the stored events that may be told to people, of campaigns that tell anybody."""
    notable = [event for event in events if event.type in NOTABLE_EVENTS]
    await conn.execute(
        """INSERT INTO notable_events (event_id, campaign_id, run_id, target_id, type, occurred_at)
           SELECT given.id, campaigns.id, given.run_id, target_id, type, occurred_at
           FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::timestamptz[])
               AS given (id, run_id, target_id, type, occurred_at)
           JOIN runs ON runs.id = given.run_id
           JOIN campaigns ON campaigns.id = runs.campaign_id AND campaigns.notifies""",
        [event.id for event in notable],
        [event.run_id for event in notable],
        [event.target_id for event in notable],
        [event.type for event in notable],
        [event.occurred_at for event in notable],
    )


async def campaigns_with_news(conn: Connection) -> list[CampaignId]:
    """The campaigns that something has happened to."""
    rows = await conn.fetch("SELECT DISTINCT campaign_id FROM notable_events")
    return [CampaignId(row["campaign_id"]) for row in rows]


async def hold_telling(conn: Connection, campaign_id: CampaignId) -> TellingCampaign | None:
    """The campaign, held until the transaction ends; None where another process holds it."""
    row = await conn.fetchrow(
        """SELECT campaigns.id, campaigns.name, campaigns.notified_at, spec_versions.document
           FROM campaigns JOIN spec_versions
               ON spec_versions.campaign_id = campaigns.id AND spec_versions.version = campaigns.current_version
           WHERE campaigns.id = $1 FOR NO KEY UPDATE OF campaigns SKIP LOCKED""",
        campaign_id,
    )
    return TellingCampaign(**dict(row)) if row else None


async def oldest_news(conn: Connection, campaign_id: CampaignId) -> dict[str, datetime]:
    """The types of what has happened, and when each happened first."""
    rows = await conn.fetch(
        "SELECT type, min(occurred_at) AS at FROM notable_events WHERE campaign_id = $1 GROUP BY type", campaign_id
    )
    return {row["type"]: row["at"] for row in rows}


async def take_news(conn: Connection, campaign_id: CampaignId, *, types: Collection[str]) -> list[Noted]:
    """What has happened of those types, in its order, noted no more."""
    rows = await conn.fetch(
        """WITH taken AS (
               DELETE FROM notable_events WHERE campaign_id = $1 AND type = ANY($2)
               RETURNING event_id, type, run_id, target_id)
           SELECT type, run_id, target_id,
               CASE WHEN type = 'run.wave' THEN (SELECT (payload->>'wave')::int FROM events WHERE id = event_id) END
                   AS wave
           FROM taken ORDER BY event_id""",
        campaign_id,
        list(types),
    )
    return [
        Noted(
            type=row["type"],
            run_id=RunId(row["run_id"]),
            target_id=TargetId(row["target_id"]) if row["target_id"] else None,
            wave=row["wave"],
        )
        for row in rows
    ]


async def mark_all_merged(conn: Connection, run_ids: Collection[RunId]) -> set[RunId]:
    """Those of the runs of which nothing is open any more and something is merged; each is given once."""
    rows = await conn.fetch(
        """UPDATE runs SET all_merged_at = now()
           WHERE id = ANY($1) AND state = 'completed' AND NOT dry_run AND all_merged_at IS NULL
               AND EXISTS (SELECT FROM targets WHERE run_id = runs.id AND state = 'merged')
               AND NOT EXISTS (SELECT FROM targets WHERE run_id = runs.id AND state = ANY($2)
                               AND NOT (state = 'prepared' AND publish_as = 'none'))
           RETURNING id""",
        list(run_ids),
        _OPEN,
    )
    return {RunId(row["id"]) for row in rows}


async def targets_waiting(conn: Connection, target_ids: Collection[TargetId]) -> dict[RunId, list[TargetNews]]:
    """Those of the targets that wait for somebody still, by run, in the order of their repositories."""
    rows = await conn.fetch(
        """SELECT id, run_id, repository, state, reason, pull_request_url FROM targets
           WHERE id = ANY($1) AND state = ANY($2) ORDER BY lower(repository), id""",
        list(target_ids),
        [state.value for state in OF_TARGETS],
    )
    found: dict[RunId, list[TargetNews]] = {}
    for row in rows:
        news = TargetNews(
            target_id=TargetId(row["id"]),
            repository=row["repository"],
            state=TargetState(row["state"]),
            reason=row["reason"],
            pull_request_url=row["pull_request_url"],
        )
        found.setdefault(RunId(row["run_id"]), []).append(news)
    return found


async def insert_notification(
    conn: Connection, campaign_id: CampaignId, *, channel: Mapping[str, Any], notices: Sequence[Notice]
) -> NotificationId:
    """A message, due at once."""
    return await conn.fetchval(
        "INSERT INTO notifications (id, campaign_id, channel, notices) VALUES ($1, $2, $3, $4) RETURNING id",
        new_id(),
        campaign_id,
        dict(channel),
        [notice.to_json() for notice in notices],
    )


async def record_told(conn: Connection, campaign_id: CampaignId) -> None:
    """The campaign tells something now."""
    await conn.execute("UPDATE campaigns SET notified_at = now() WHERE id = $1", campaign_id)


async def claim_due(conn: Connection, *, lease: timedelta, limit: int) -> list[StoredNotification]:
    """Messages that are due, the longest due first; due again after `lease`, should this process die."""
    rows = await conn.fetch(
        f"""WITH due AS (
                SELECT id FROM notifications WHERE state = 'waiting' AND due_at <= now()
                ORDER BY due_at LIMIT $2 FOR UPDATE SKIP LOCKED
            ), claimed AS (
                UPDATE notifications SET due_at = now() + $1::interval WHERE id IN (SELECT id FROM due)
                RETURNING {_COLUMNS}
            )
            SELECT claimed.*, campaigns.name AS campaign
            FROM claimed JOIN campaigns ON campaigns.id = claimed.campaign_id ORDER BY claimed.id""",
        lease,
        limit,
    )
    return [_from_row(row) for row in rows]


async def record_attempt(conn: Connection, notification_id: NotificationId, outcome: Outcome) -> None:
    """Keeps what became of an attempt."""
    state, due_at, error = stored_as(outcome)
    await conn.execute(
        """UPDATE notifications
           SET state = $2, attempts = attempts + 1, due_at = coalesce($3, due_at), error = $4,
               finished_at = CASE WHEN $2 = 'waiting' THEN NULL ELSE now() END
           WHERE id = $1""",
        notification_id,
        state.value,
        due_at,
        error,
    )


async def page_notifications(
    conn: Connection,
    campaign_id: CampaignId,
    *,
    state: MessageState | None = None,
    before: NotificationId | None = None,
    limit: int = 50,
) -> list[StoredNotification]:
    """Messages of a campaign, newest first, from the one before `before`."""
    rows = await conn.fetch(
        f"""SELECT {", ".join(f"n.{name}" for name in _COLUMNS.split(", "))}, campaigns.name AS campaign
            FROM notifications n JOIN campaigns ON campaigns.id = n.campaign_id
            WHERE n.campaign_id = $1 AND ($2::text IS NULL OR n.state = $2) AND ($3::uuid IS NULL OR n.id < $3)
            ORDER BY n.id DESC LIMIT $4""",
        campaign_id,
        state.value if state else None,
        before,
        limit,
    )
    return [_from_row(row) for row in rows]


async def count_unfinished(conn: Connection) -> dict[MessageState, int]:
    """How many messages wait, and how many were given up."""
    rows = await conn.fetch(
        "SELECT state, count(*) AS count FROM notifications WHERE state <> 'delivered' GROUP BY state"
    )
    found = {MessageState(row["state"]): row["count"] for row in rows}
    return {state: found.get(state, 0) for state in (MessageState.WAITING, MessageState.DEAD)}


async def forget_finished(conn: Connection, *, older_than: timedelta) -> int:
    """Removes messages that were delivered or given up so long ago; gives their number."""
    rows = await conn.fetch(
        """DELETE FROM notifications WHERE id IN
               (SELECT id FROM notifications WHERE finished_at < now() - $1::interval LIMIT 10000)
           RETURNING id""",
        older_than,
    )
    return len(rows)


def _from_row(row: asyncpg.Record) -> StoredNotification:
    values: dict[str, Any] = dict(row)
    values["state"] = MessageState(row["state"])
    return StoredNotification(**values)
