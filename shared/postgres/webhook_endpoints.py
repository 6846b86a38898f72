"""Endpoints of outgoing webhooks in Postgres."""

# ruff: noqa: S608  # the only thing put into SQL here is the list of columns

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import asyncpg

from ..domain.ids import CampaignId, WebhookEndpointId, new_id
from ..domain.webhooks import WebhookEndpoint
from ..errors import NotFound
from .pool import Connection

_COLUMNS = (
    "id, url, description, events, (SELECT name FROM campaigns WHERE campaigns.id = campaign_id) AS campaign,"
    " generation, rotated_at, failures, held_until, paused_at, disabled_at, disabled_reason, created_by, created_at,"
    " updated_at"
)


async def insert_endpoint(
    conn: Connection,
    *,
    url: str,
    description: str,
    events: Sequence[str],
    campaign_id: CampaignId | None,
    created_by: str,
) -> WebhookEndpoint:
    """A new endpoint, told of what happens from now on."""
    row = await conn.fetchrow(
        f"""INSERT INTO webhook_endpoints (id, url, description, events, campaign_id, created_by)
            VALUES ($1, $2, $3, $4, $5, $6) RETURNING {_COLUMNS}""",
        new_id(),
        url,
        description,
        events,
        campaign_id,
        created_by,
    )
    assert row  # noqa: S101 - an INSERT without a condition gives its row
    return _from_row(row)


async def count_endpoints(conn: Connection) -> int:
    """How many there are."""
    return await conn.fetchval("SELECT count(*) FROM webhook_endpoints")


async def get_endpoint(conn: Connection, endpoint_id: WebhookEndpointId) -> WebhookEndpoint:
    """The endpoint; raises `NotFound`."""
    return _found(
        await conn.fetchrow(f"SELECT {_COLUMNS} FROM webhook_endpoints WHERE id = $1", endpoint_id), endpoint_id
    )


async def page_endpoints(
    conn: Connection, *, after: WebhookEndpointId | None = None, limit: int = 50
) -> list[WebhookEndpoint]:
    """Endpoints, oldest first, from the one after `after`."""
    rows = await conn.fetch(
        f"SELECT {_COLUMNS} FROM webhook_endpoints WHERE $1::uuid IS NULL OR id > $1 ORDER BY id LIMIT $2",
        after,
        limit,
    )
    return [_from_row(row) for row in rows]


async def update_endpoint(
    conn: Connection,
    endpoint_id: WebhookEndpointId,
    *,
    url: str | None = None,
    description: str | None = None,
    events: Sequence[str] | None = None,
) -> WebhookEndpoint:
    """Changes what is given, and asks the endpoint again at once; raises `NotFound`."""
    row = await conn.fetchrow(
        f"""UPDATE webhook_endpoints
            SET url = coalesce($2, url), description = coalesce($3, description), events = coalesce($4, events),
                failures = 0, held_until = NULL, updated_at = now()
            WHERE id = $1 RETURNING {_COLUMNS}""",
        endpoint_id,
        url,
        description,
        events,
    )
    return _found(row, endpoint_id)


async def pause_endpoint(conn: Connection, endpoint_id: WebhookEndpointId) -> WebhookEndpoint:
    """Has its messages wait; raises `NotFound`."""
    row = await conn.fetchrow(
        f"""UPDATE webhook_endpoints SET paused_at = coalesce(paused_at, now()), updated_at = now()
            WHERE id = $1 RETURNING {_COLUMNS}""",
        endpoint_id,
    )
    return _found(row, endpoint_id)


async def resume_endpoint(conn: Connection, endpoint_id: WebhookEndpointId) -> WebhookEndpoint:
    """Goes on with a paused or disabled endpoint; what waits has a whole day again. Raises `NotFound`."""
    row = await conn.fetchrow(
        f"""UPDATE webhook_endpoints
            SET paused_at = NULL, disabled_at = NULL, disabled_reason = NULL, failures = 0, held_until = NULL,
                updated_at = now()
            WHERE id = $1 RETURNING {_COLUMNS}""",
        endpoint_id,
    )
    endpoint = _found(row, endpoint_id)
    await conn.execute(
        """UPDATE webhook_messages SET tried_since = now(), due_at = least(due_at, now())
           WHERE endpoint_id = $1 AND state = 'waiting'""",
        endpoint_id,
    )
    return endpoint


async def rotate_secret(conn: Connection, endpoint_id: WebhookEndpointId) -> WebhookEndpoint:
    """Gives the endpoint another secret; the one before counts for a day more. Raises `NotFound`."""
    row = await conn.fetchrow(
        f"""UPDATE webhook_endpoints SET generation = generation + 1, rotated_at = now(), updated_at = now()
            WHERE id = $1 RETURNING {_COLUMNS}""",
        endpoint_id,
    )
    return _found(row, endpoint_id)


async def delete_endpoint(conn: Connection, endpoint_id: WebhookEndpointId) -> None:
    """Removes the endpoint, its messages and their attempts; raises `NotFound`."""
    if await conn.fetchval("DELETE FROM webhook_endpoints WHERE id = $1 RETURNING id", endpoint_id) is None:
        raise NotFound("webhook endpoint", str(endpoint_id))


async def list_due(conn: Connection) -> list[WebhookEndpoint]:
    """The endpoints that a message is due for, and that are not left alone."""
    rows = await conn.fetch(
        f"""SELECT {_COLUMNS} FROM webhook_endpoints endpoint
            WHERE paused_at IS NULL AND disabled_at IS NULL AND (held_until IS NULL OR held_until <= now())
                AND EXISTS (SELECT FROM webhook_messages message
                            WHERE message.endpoint_id = endpoint.id AND state = 'waiting' AND due_at <= now())
            ORDER BY id"""
    )
    return [_from_row(row) for row in rows]


async def record_answering(conn: Connection, endpoint_id: WebhookEndpointId) -> None:
    """The endpoint has answered."""
    await conn.execute(
        "UPDATE webhook_endpoints SET failures = 0, held_until = NULL WHERE id = $1 AND failures > 0", endpoint_id
    )


async def hold_endpoint(
    conn: Connection, endpoint_id: WebhookEndpointId, *, failures: int, held_until: datetime
) -> None:
    """Leaves the endpoint alone; `failures` of its attempts had no answer, this one included."""
    await conn.execute(
        """UPDATE webhook_endpoints
           SET failures = greatest(failures, $2), held_until = greatest(held_until, $3) WHERE id = $1""",
        endpoint_id,
        failures,
        held_until,
    )


async def disable_endpoint(conn: Connection, endpoint_id: WebhookEndpointId, *, reason: str) -> None:
    """Sends nothing more, and gives up what waits."""
    await conn.execute(
        "UPDATE webhook_endpoints SET disabled_at = now(), disabled_reason = $2 WHERE id = $1 AND disabled_at IS NULL",
        endpoint_id,
        reason,
    )
    await conn.execute(
        """UPDATE webhook_messages SET state = 'dead', error = $2, finished_at = now()
           WHERE endpoint_id = $1 AND state = 'waiting'""",
        endpoint_id,
        f"the endpoint is disabled: {reason}",
    )


def _found(row: asyncpg.Record | None, endpoint_id: WebhookEndpointId) -> WebhookEndpoint:
    if row is None:
        raise NotFound("webhook endpoint", str(endpoint_id))
    return _from_row(row)


def _from_row(row: asyncpg.Record) -> WebhookEndpoint:
    values: dict[str, Any] = dict(row)
    values["events"] = tuple(row["events"])
    return WebhookEndpoint(**values)
