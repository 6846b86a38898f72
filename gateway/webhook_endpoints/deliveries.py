"""What was sent to an endpoint of outgoing webhooks, and sending it again."""

from __future__ import annotations

import json
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response, status

from shared.domain.ids import WebhookEndpointId, WebhookMessageId
from shared.domain.webhooks import MessageState, body_of
from shared.errors import Conflict
from shared.postgres import webhook_endpoints, webhook_messages
from shared.postgres.pool import Connection

from ..auth import SignedIn
from ..paging import Cursor, Limit, Page, id_in, page
from ..resources import Opened
from ..versions import V1
from .schemas import DeliveryDetails, Resent, ShownAttempt, ShownDelivery

router = APIRouter(prefix="/webhook-endpoints/{endpoint_id}", tags=["webhooks"])


@router.post("/ping", status_code=status.HTTP_202_ACCEPTED)
async def ping(endpoint_id: UUID, response: Response, resources: Opened, _: SignedIn) -> ShownDelivery:
    """Send a message that only says that messages arrive; read what became of it at `Location`."""
    async with resources.pool.acquire() as conn, conn.transaction():
        await _check_enabled(conn, WebhookEndpointId(endpoint_id))
        message = await webhook_messages.insert_ping(conn, WebhookEndpointId(endpoint_id))
    response.headers["Location"] = f"{_deliveries_of(endpoint_id)}/{message.id}"
    return ShownDelivery.model_validate(message)


@router.get("/deliveries")
async def list_deliveries(
    endpoint_id: UUID,
    resources: Opened,
    _: SignedIn,
    state: MessageState | None = None,
    type: Annotated[str | None, Query(max_length=100, description="an event, such as `target.merged`")] = None,  # noqa: A002
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Page[ShownDelivery]:
    """Messages to an endpoint, newest first."""
    before = id_in(cursor)
    async with resources.pool.acquire() as conn:
        await webhook_endpoints.get_endpoint(conn, WebhookEndpointId(endpoint_id))
        rows = await webhook_messages.page_messages(
            conn,
            WebhookEndpointId(endpoint_id),
            state=state,
            event_type=type,
            before=WebhookMessageId(before) if before else None,
            limit=limit + 1,
        )
    return page(rows, limit=limit, position=lambda each: each.id, show=ShownDelivery.model_validate)


@router.get("/deliveries/{message_id}")
async def get_delivery(endpoint_id: UUID, message_id: UUID, resources: Opened, _: SignedIn) -> DeliveryDetails:
    """A message, its content, and each attempt to deliver it."""
    ids = WebhookEndpointId(endpoint_id), WebhookMessageId(message_id)
    async with resources.pool.acquire() as conn:
        message, told = await webhook_messages.get_message(conn, *ids)
        attempts = await webhook_messages.list_attempts(conn, *ids)
    return DeliveryDetails(
        **ShownDelivery.model_validate(message).model_dump(),
        content=json.loads(body_of(told)),
        tried=[ShownAttempt.model_validate(each) for each in attempts],
    )


@router.post("/deliveries/{message_id}/redeliver", status_code=status.HTTP_202_ACCEPTED)
async def redeliver(
    endpoint_id: UUID, message_id: UUID, response: Response, resources: Opened, _: SignedIn
) -> ShownDelivery:
    """Send a message again, under the same id."""
    ids = WebhookEndpointId(endpoint_id), WebhookMessageId(message_id)
    async with resources.pool.acquire() as conn, conn.transaction():
        await _check_enabled(conn, ids[0])
        await webhook_messages.send_again(conn, ids[0], message_id=ids[1])
        message, _told = await webhook_messages.get_message(conn, *ids)
    response.headers["Location"] = f"{_deliveries_of(endpoint_id)}/{message_id}"
    return ShownDelivery.model_validate(message)


@router.post("/redeliver-dead", status_code=status.HTTP_202_ACCEPTED)
async def redeliver_dead(endpoint_id: UUID, response: Response, resources: Opened, _: SignedIn) -> Resent:
    """Send all messages again that were given up, each under its id."""
    response.headers["Location"] = _deliveries_of(endpoint_id)
    async with resources.pool.acquire() as conn, conn.transaction():
        await _check_enabled(conn, WebhookEndpointId(endpoint_id))
        return Resent(messages=await webhook_messages.send_again(conn, WebhookEndpointId(endpoint_id)))


def _deliveries_of(endpoint_id: UUID) -> str:
    return f"{V1}/webhook-endpoints/{endpoint_id}/deliveries"


async def _check_enabled(conn: Connection, endpoint_id: WebhookEndpointId) -> None:
    endpoint = await webhook_endpoints.get_endpoint(conn, endpoint_id)
    if endpoint.disabled_at:
        raise Conflict(f"the endpoint is disabled, as {endpoint.disabled_reason}: resume it first")
