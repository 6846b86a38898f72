"""What is done to endpoints of outgoing webhooks: each act and its line in the audit, in one transaction."""

from __future__ import annotations

from typing import Any

from shared.auth.webhook_signing import endpoint_secret
from shared.domain.audit import AuditAction
from shared.domain.ids import WebhookEndpointId
from shared.domain.webhooks import WebhookEndpoint, check_patterns, check_url
from shared.errors import Conflict
from shared.postgres import campaigns, webhook_endpoints
from shared.postgres.audit import record_act
from shared.postgres.pool import Connection
from shared.settings import GatewaySettings

from ..resources import Resources
from .schemas import EndpointChanges, NewEndpoint

MOST_ENDPOINTS = 100
"""Each is looked at for every event."""


async def create_endpoint(resources: Resources, given: NewEndpoint, *, actor: str) -> tuple[WebhookEndpoint, str]:
    """A new endpoint and its secret; raises `InvalidInput`, `NotFound` for the campaign, `Conflict`."""
    _signing_key(resources.settings)
    url = check_url(given.url, allow_plain=resources.settings.webhooks_allow_private_addresses)
    events = check_patterns(given.events)
    async with resources.pool.acquire() as conn, conn.transaction():
        if await webhook_endpoints.count_endpoints(conn) >= MOST_ENDPOINTS:
            raise Conflict(f"there are {MOST_ENDPOINTS} endpoints, and there cannot be more: delete one first")
        campaign = await campaigns.get_campaign(conn, given.campaign) if given.campaign else None
        endpoint = await webhook_endpoints.insert_endpoint(
            conn,
            url=url,
            description=given.description,
            events=events,
            campaign_id=campaign.id if campaign else None,
            created_by=actor,
        )
        changed = {"url": url, "events": list(events), "campaign": given.campaign}
        await _record(conn, AuditAction.WEBHOOKS_CREATE, endpoint.id, actor=actor, changed=changed)
    return endpoint, secret_of(resources.settings, endpoint)


async def update_endpoint(
    resources: Resources, endpoint_id: WebhookEndpointId, given: EndpointChanges, *, actor: str
) -> WebhookEndpoint:
    """Changes what is given; raises `InvalidInput`, `NotFound`."""
    changed = given.model_dump(exclude_none=True)
    if given.url is not None:
        check_url(given.url, allow_plain=resources.settings.webhooks_allow_private_addresses)
    if given.events is not None:
        changed["events"] = list(check_patterns(given.events))
    async with resources.pool.acquire() as conn, conn.transaction():
        endpoint = await webhook_endpoints.update_endpoint(conn, endpoint_id, **changed)
        await _record(conn, AuditAction.WEBHOOKS_UPDATE, endpoint_id, actor=actor, changed=changed)
    return endpoint


async def set_paused(
    resources: Resources, endpoint_id: WebhookEndpointId, *, paused: bool, actor: str
) -> WebhookEndpoint:
    """Has the endpoint's messages wait, or go on; raises `NotFound`."""
    change = webhook_endpoints.pause_endpoint if paused else webhook_endpoints.resume_endpoint
    async with resources.pool.acquire() as conn, conn.transaction():
        endpoint = await change(conn, endpoint_id)
        await _record(conn, AuditAction.WEBHOOKS_UPDATE, endpoint_id, actor=actor, changed={"paused": paused})
    return endpoint


async def delete_endpoint(resources: Resources, endpoint_id: WebhookEndpointId, *, actor: str) -> None:
    """Removes the endpoint and the log of what was sent to it; raises `NotFound`."""
    async with resources.pool.acquire() as conn, conn.transaction():
        await webhook_endpoints.delete_endpoint(conn, endpoint_id)
        await _record(conn, AuditAction.WEBHOOKS_DELETE, endpoint_id, actor=actor, changed={})


async def rotate_secret(
    resources: Resources, endpoint_id: WebhookEndpointId, *, actor: str
) -> tuple[WebhookEndpoint, str]:
    """Another secret; for a day messages are signed with the one before too. Raises `NotFound`, `Conflict`."""
    async with resources.pool.acquire() as conn, conn.transaction():
        endpoint = await webhook_endpoints.rotate_secret(conn, endpoint_id)
        changed = {"generation": endpoint.generation}
        await _record(conn, AuditAction.WEBHOOKS_ROTATE, endpoint_id, actor=actor, changed=changed)
        return endpoint, secret_of(resources.settings, endpoint)


async def show_secret(resources: Resources, endpoint_id: WebhookEndpointId, *, actor: str) -> str:
    """The secret; raises `NotFound`, `Conflict`."""
    async with resources.pool.acquire() as conn, conn.transaction():
        endpoint = await webhook_endpoints.get_endpoint(conn, endpoint_id)
        await _record(conn, AuditAction.WEBHOOKS_REVEAL, endpoint_id, actor=actor, changed={})
    return secret_of(resources.settings, endpoint)


def secret_of(settings: GatewaySettings, endpoint: WebhookEndpoint) -> str:
    """The endpoint's present secret; raises `Conflict` where there is no signing key."""
    return endpoint_secret(_signing_key(settings), endpoint.id, endpoint.generation)


def _signing_key(settings: GatewaySettings) -> str:
    if not settings.webhook_keys:
        raise Conflict("there are no outgoing webhooks here: set OCTOBATCH_WEBHOOKS_SIGNING_KEY")
    return settings.webhook_keys[0]


async def _record(
    conn: Connection, action: AuditAction, endpoint_id: WebhookEndpointId, *, actor: str, changed: dict[str, Any]
) -> None:
    details = {"wanted": {"endpoint": str(endpoint_id)}, "changed": changed}
    await record_act(conn, actor=actor, action=action, service=None, details=details)
