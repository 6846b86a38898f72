"""Webhook deliveries in Postgres: each is kept once, by GitHub's delivery id, also when GitHub sends it again."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ..domain.ids import InstallationId
from ..errors import NotFound
from .pool import Connection


@dataclass(frozen=True, kw_only=True)
class WebhookDelivery:
    """A delivery whose signature was verified. `event` is the `X-GitHub-Event` header, `action` the payload's."""

    delivery_id: str
    event: str
    action: str | None
    installation_id: InstallationId | None
    payload: Mapping[str, Any]
    received_at: datetime
    handled_at: datetime | None


async def insert_delivery(
    conn: Connection,
    *,
    delivery_id: str,
    event: str,
    action: str | None,
    installation_id: int | None,
    payload: Mapping[str, Any],
) -> bool:
    """Keeps a delivery; False where that delivery id is known already."""
    inserted = await conn.fetchval(
        """
        INSERT INTO webhook_deliveries (delivery_id, event, action, installation_id, payload)
        VALUES ($1, $2, $3, $4, $5) ON CONFLICT (delivery_id) DO NOTHING RETURNING delivery_id
        """,
        delivery_id,
        event,
        action,
        installation_id,
        payload,
    )
    return inserted is not None


async def get_delivery(conn: Connection, delivery_id: str) -> WebhookDelivery:
    """The delivery of that id; raises `NotFound`."""
    row = await conn.fetchrow(
        """
        SELECT delivery_id, event, action, installation_id, payload, received_at, handled_at
        FROM webhook_deliveries WHERE delivery_id = $1
        """,
        delivery_id,
    )
    if row is None:
        raise NotFound("webhook delivery", delivery_id)
    return WebhookDelivery(**dict(row))


async def known_among(conn: Connection, delivery_ids: Collection[str]) -> frozenset[str]:
    """Those of the deliveries that have come in, handled or to be handled."""
    rows = await conn.fetch(
        "SELECT delivery_id FROM webhook_deliveries WHERE delivery_id = ANY($1::text[])", list(delivery_ids)
    )
    return frozenset(row["delivery_id"] for row in rows)


async def mark_handled(conn: Connection, delivery_id: str) -> bool:
    """Records that a delivery was taken in; False where it had been before."""
    handled = await conn.fetchval(
        "UPDATE webhook_deliveries SET handled_at = now() WHERE delivery_id = $1 AND handled_at IS NULL"
        " RETURNING delivery_id",
        delivery_id,
    )
    return handled is not None
