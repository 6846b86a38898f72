"""Messages to endpoints of outgoing webhooks, and their attempts. `events.insert_events` makes them."""

# ruff: noqa: S608  # the only thing put into SQL here is the list of columns

from __future__ import annotations

from datetime import timedelta
from typing import Any

import asyncpg

from ..domain.ids import WebhookEndpointId, WebhookMessageId, new_id
from ..domain.webhook_retries import GIVE_UP_AFTER, Outcome, stored_as
from ..domain.webhooks import PING, MessageState, Told, WebhookAttempt, WebhookMessage
from ..errors import NotFound
from .pool import Connection

_COLUMNS = "endpoint_id, id, type, state, attempts, tried_since, due_at, error, created_at, finished_at"
_TOLD = """
    coalesce(events.occurred_at, message.created_at) AS occurred_at, events.run_id, events.target_id, events.payload,
    campaigns.name AS campaign
    FROM webhook_messages message LEFT JOIN events ON events.id = message.id
        LEFT JOIN runs ON runs.id = events.run_id LEFT JOIN campaigns ON campaigns.id = runs.campaign_id
"""


async def insert_ping(conn: Connection, endpoint_id: WebhookEndpointId) -> WebhookMessage:
    """A message that only says that messages arrive, due at once."""
    row = await conn.fetchrow(
        f"INSERT INTO webhook_messages (endpoint_id, id, type) VALUES ($1, $2, $3) RETURNING {_COLUMNS}",
        endpoint_id,
        new_id(),
        PING,
    )
    assert row  # noqa: S101 - an INSERT without a condition gives its row
    return _from_row(row)


async def claim_due(
    conn: Connection, endpoint_id: WebhookEndpointId, *, lease: timedelta, limit: int
) -> list[tuple[WebhookMessage, Told]]:
    """Messages that are due, the longest due first, and what they say; due again after `lease`, should this one die."""
    rows = await conn.fetch(
        f"""
        WITH due AS (
            SELECT id FROM webhook_messages WHERE endpoint_id = $1 AND state = 'waiting' AND due_at <= now()
            ORDER BY due_at LIMIT $3 FOR UPDATE SKIP LOCKED
        ), claimed AS (
            UPDATE webhook_messages SET due_at = now() + $2
            WHERE endpoint_id = $1 AND id IN (SELECT id FROM due) RETURNING {_COLUMNS}
        )
        SELECT message.*, {_TOLD.replace("webhook_messages", "claimed")} ORDER BY message.id
        """,
        endpoint_id,
        lease,
        limit,
    )
    return [(_from_row(row), _told(row)) for row in rows]


async def record_attempt(conn: Connection, message: WebhookMessage, attempt: WebhookAttempt, outcome: Outcome) -> None:
    """Keeps an attempt, and what became of the message; one that was given up meanwhile is not tried again."""
    state, due_at, error = stored_as(outcome)
    recorded = await conn.fetchval(
        """UPDATE webhook_messages
           SET state = CASE WHEN $3 = 'waiting' THEN state ELSE $3 END, attempts = attempts + 1,
               due_at = coalesce($4, due_at), error = $5,
               finished_at = CASE WHEN $3 = 'waiting' THEN finished_at ELSE now() END
           WHERE endpoint_id = $1 AND id = $2 RETURNING id""",
        message.endpoint_id,
        message.id,
        state.value,
        due_at,
        error,
    )
    if recorded is None:
        return  # the endpoint was deleted meanwhile
    await conn.execute(
        """INSERT INTO webhook_attempts
               (id, endpoint_id, message_id, attempted_at, duration_ms, status, response, error)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8)""",
        attempt.id,
        message.endpoint_id,
        message.id,
        attempt.attempted_at,
        attempt.duration_ms,
        attempt.status,
        attempt.response,
        attempt.error,
    )


async def bury_overdue(conn: Connection, endpoint_id: WebhookEndpointId, *, why: str) -> None:
    """Gives up what waited for a day behind an endpoint that does not answer."""
    await conn.execute(
        """UPDATE webhook_messages SET state = 'dead', finished_at = now(), error = $3
           WHERE endpoint_id = $1 AND state = 'waiting' AND due_at <= now() AND tried_since < now() - $2::interval""",
        endpoint_id,
        GIVE_UP_AFTER,
        f"it waited for a day, as the endpoint did not answer: {why}",
    )


async def page_messages(
    conn: Connection,
    endpoint_id: WebhookEndpointId,
    *,
    state: MessageState | None = None,
    event_type: str | None = None,
    before: WebhookMessageId | None = None,
    limit: int = 50,
) -> list[WebhookMessage]:
    """Messages of an endpoint, newest first, from the one before `before`."""
    rows = await conn.fetch(
        f"""SELECT {_COLUMNS} FROM webhook_messages
            WHERE endpoint_id = $1 AND ($2::text IS NULL OR state = $2) AND ($3::text IS NULL OR type = $3)
                AND ($4::uuid IS NULL OR id < $4)
            ORDER BY id DESC LIMIT $5""",
        endpoint_id,
        state.value if state else None,
        event_type,
        before,
        limit,
    )
    return [_from_row(row) for row in rows]


async def get_message(
    conn: Connection, endpoint_id: WebhookEndpointId, message_id: WebhookMessageId
) -> tuple[WebhookMessage, Told]:
    """A message of an endpoint, and what it says; raises `NotFound`."""
    row = await conn.fetchrow(
        f"SELECT message.*, {_TOLD} WHERE message.endpoint_id = $1 AND message.id = $2", endpoint_id, message_id
    )
    if row is None:
        raise NotFound("webhook delivery", str(message_id))
    return _from_row(row), _told(row)


async def list_attempts(
    conn: Connection, endpoint_id: WebhookEndpointId, message_id: WebhookMessageId
) -> list[WebhookAttempt]:
    """The attempts at a message, oldest first."""
    rows = await conn.fetch(
        """SELECT id, attempted_at, duration_ms, status, response, error FROM webhook_attempts
           WHERE endpoint_id = $1 AND message_id = $2 ORDER BY id""",
        endpoint_id,
        message_id,
    )
    return [WebhookAttempt(**dict(row)) for row in rows]


async def send_again(
    conn: Connection, endpoint_id: WebhookEndpointId, *, message_id: WebhookMessageId | None = None
) -> int:
    """Has the message sent again, or all that were given up, with a day of attempts each; gives their number."""
    rows = await conn.fetch(
        """UPDATE webhook_messages
           SET state = 'waiting', tried_since = now(), due_at = now(), error = NULL, finished_at = NULL
           WHERE endpoint_id = $1 AND CASE WHEN $2::uuid IS NULL THEN state = 'dead' ELSE id = $2 END
           RETURNING id""",
        endpoint_id,
        message_id,
    )
    return len(rows)


async def count_unfinished(conn: Connection) -> dict[MessageState, int]:
    """How many messages wait, and how many were given up."""
    return {
        state: await conn.fetchval(f"SELECT count(*) FROM webhook_messages WHERE state = '{state}'")
        for state in (MessageState.WAITING, MessageState.DEAD)
    }


async def forget_finished(conn: Connection, *, older_than: timedelta) -> int:
    """Removes messages that were delivered or given up so long ago, with their attempts; gives their number."""
    rows = await conn.fetch(
        """DELETE FROM webhook_messages WHERE (endpoint_id, id) IN
               (SELECT endpoint_id, id FROM webhook_messages WHERE finished_at < now() - $1::interval LIMIT 10000)
           RETURNING id""",
        older_than,
    )
    return len(rows)


def _told(row: asyncpg.Record) -> Told:
    return Told(
        type=row["type"],
        occurred_at=row["occurred_at"],
        campaign=row["campaign"],
        run_id=row["run_id"],
        target_id=row["target_id"],
        payload=row["payload"],
    )


def _from_row(row: asyncpg.Record) -> WebhookMessage:
    values: dict[str, Any] = {name: row[name] for name in _COLUMNS.split(", ")}
    values["state"] = MessageState(row["state"])
    return WebhookMessage(**values)
