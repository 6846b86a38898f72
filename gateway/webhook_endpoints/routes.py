"""Endpoints of outgoing webhooks: create, read, change, pause, delete, and their secrets."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter, Response, status

from shared.domain.ids import WebhookEndpointId
from shared.domain.webhooks import WebhookEndpoint
from shared.postgres import webhook_endpoints

from ..auth import SignedIn
from ..paging import Cursor, Limit, Page, id_in, page
from ..resources import Opened
from ..versions import V1
from . import operations
from .schemas import EndpointChanges, EndpointWithSecret, NewEndpoint, ShownEndpoint, ShownSecret

router = APIRouter(prefix="/webhook-endpoints", tags=["webhooks"])


@router.post("", status_code=status.HTTP_201_CREATED)
async def create_endpoint(
    body: NewEndpoint, response: Response, resources: Opened, principal: SignedIn
) -> EndpointWithSecret:
    """Have an address told of what happens from now on. The answer has the secret that messages are signed with."""
    made = await operations.create_endpoint(resources, body, actor=principal.actor)
    response.headers["Location"] = f"{V1}/webhook-endpoints/{made[0].id}"
    return _with_secret(made)


@router.get("")
async def list_endpoints(
    resources: Opened, _: SignedIn, limit: Limit = 50, cursor: Cursor = None
) -> Page[ShownEndpoint]:
    """Endpoints, oldest first."""
    after = id_in(cursor)
    async with resources.pool.acquire() as conn:
        rows = await webhook_endpoints.page_endpoints(
            conn, after=WebhookEndpointId(after) if after else None, limit=limit + 1
        )
    return page(rows, limit=limit, position=lambda each: each.id, show=ShownEndpoint.model_validate)


@router.get("/{endpoint_id}")
async def get_endpoint(endpoint_id: UUID, resources: Opened, _: SignedIn) -> ShownEndpoint:
    """One endpoint."""
    async with resources.pool.acquire() as conn:
        return ShownEndpoint.model_validate(await webhook_endpoints.get_endpoint(conn, WebhookEndpointId(endpoint_id)))


@router.patch("/{endpoint_id}")
async def update_endpoint(
    endpoint_id: UUID, body: EndpointChanges, resources: Opened, principal: SignedIn
) -> ShownEndpoint:
    """Change an endpoint; what waits for it goes to the new address."""
    endpoint = await operations.update_endpoint(resources, WebhookEndpointId(endpoint_id), body, actor=principal.actor)
    return ShownEndpoint.model_validate(endpoint)


@router.post("/{endpoint_id}/pause")
async def pause_endpoint(endpoint_id: UUID, resources: Opened, principal: SignedIn) -> ShownEndpoint:
    """Have its messages wait; none is lost."""
    endpoint = await operations.set_paused(
        resources, WebhookEndpointId(endpoint_id), paused=True, actor=principal.actor
    )
    return ShownEndpoint.model_validate(endpoint)


@router.post("/{endpoint_id}/resume")
async def resume_endpoint(endpoint_id: UUID, resources: Opened, principal: SignedIn) -> ShownEndpoint:
    """Go on with an endpoint that is paused, or disabled; what waited is sent."""
    endpoint = await operations.set_paused(
        resources, WebhookEndpointId(endpoint_id), paused=False, actor=principal.actor
    )
    return ShownEndpoint.model_validate(endpoint)


@router.delete("/{endpoint_id}", status_code=status.HTTP_204_NO_CONTENT)
async def delete_endpoint(endpoint_id: UUID, resources: Opened, principal: SignedIn) -> Response:
    """Delete an endpoint, what waits for it, and the log of what was sent to it."""
    await operations.delete_endpoint(resources, WebhookEndpointId(endpoint_id), actor=principal.actor)
    return Response(status_code=status.HTTP_204_NO_CONTENT)


@router.get("/{endpoint_id}/secret")
async def get_secret(endpoint_id: UUID, response: Response, resources: Opened, principal: SignedIn) -> ShownSecret:
    """The secret that its messages are signed with. That it was shown is in the audit."""
    response.headers["Cache-Control"] = "no-store"
    secret = await operations.show_secret(resources, WebhookEndpointId(endpoint_id), actor=principal.actor)
    return ShownSecret(secret=secret)


@router.post("/{endpoint_id}/rotate-secret")
async def rotate_secret(endpoint_id: UUID, resources: Opened, principal: SignedIn) -> EndpointWithSecret:
    """Give it another secret. For a day messages are signed with the one before too."""
    return _with_secret(
        await operations.rotate_secret(resources, WebhookEndpointId(endpoint_id), actor=principal.actor)
    )


def _with_secret(made: tuple[WebhookEndpoint, str]) -> EndpointWithSecret:
    endpoint, secret = made
    return EndpointWithSecret(endpoint=ShownEndpoint.model_validate(endpoint), secret=secret)
