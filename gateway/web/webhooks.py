"""Outgoing webhooks: endpoints, and what was sent to them."""

from __future__ import annotations

import json
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response

from shared.domain.ids import WebhookEndpointId, WebhookMessageId
from shared.domain.webhooks import MessageState, WebhookEndpoint, body_of
from shared.postgres import webhook_endpoints, webhook_messages

from ..paging import Cursor, id_in, page
from ..resources import Opened
from ..webhook_endpoints.schemas import ShownDelivery
from .kit import PAGE, render

router = APIRouter(include_in_schema=False)

ROOM = "Webhooks"


@router.get("/ui/webhooks")
async def endpoints_page(request: Request, resources: Opened) -> Response:
    """All endpoints, of which there are at most a hundred."""
    async with resources.pool.acquire() as conn:
        found = await webhook_endpoints.page_endpoints(conn, limit=PAGE)
    return await render(
        request,
        resources,
        "webhooks.html",
        room=ROOM,
        endpoints=found,
        told=_told,
        can_send=bool(resources.settings.webhook_keys),
    )


@router.get("/ui/webhooks/{endpoint_id}")
async def endpoint_page(
    request: Request,
    endpoint_id: UUID,
    resources: Opened,
    state: MessageState | Literal[""] = "",
    event: Annotated[str, Query(max_length=100)] = "",
    cursor: Cursor = None,
) -> Response:
    """One endpoint, and the messages to it, newest first."""
    before = id_in(cursor)
    async with resources.pool.acquire() as conn:
        endpoint = await webhook_endpoints.get_endpoint(conn, WebhookEndpointId(endpoint_id))
        found = await webhook_messages.page_messages(
            conn,
            endpoint.id,
            state=state or None,
            event_type=event or None,
            before=WebhookMessageId(before) if before else None,
            limit=PAGE + 1,
        )
    shown = page(found, limit=PAGE, position=lambda each: each.id, show=ShownDelivery.model_validate)
    return await render(
        request,
        resources,
        "webhook.html",
        room=ROOM,
        endpoint=endpoint,
        told=_told,
        messages=shown.items,
        next_cursor=shown.next_cursor,
        states=list(MessageState),
        state=state,
        event=event,
    )


@router.get("/ui/webhooks/{endpoint_id}/deliveries/{message_id}")
async def delivery_page(request: Request, endpoint_id: UUID, message_id: UUID, resources: Opened) -> Response:
    """A message: what it says, and each attempt to deliver it."""
    ids = WebhookEndpointId(endpoint_id), WebhookMessageId(message_id)
    async with resources.pool.acquire() as conn:
        endpoint = await webhook_endpoints.get_endpoint(conn, ids[0])
        message, told = await webhook_messages.get_message(conn, *ids)
        attempts = await webhook_messages.list_attempts(conn, *ids)
    return await render(
        request,
        resources,
        "webhook-delivery.html",
        room=ROOM,
        endpoint=endpoint,
        message=message,
        content=json.loads(body_of(told)),
        attempts=attempts,
    )


def _told(endpoint: WebhookEndpoint) -> tuple[str, str]:
    """How an endpoint is, in a word, and as which state it is coloured."""
    if endpoint.disabled_at:
        return "disabled", "failed"
    if endpoint.paused_at:
        return "paused", "paused"
    return ("not answering", "failed") if endpoint.failures else ("active", "active")
