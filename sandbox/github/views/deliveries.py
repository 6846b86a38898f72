"""Attempts to deliver webhooks."""

from __future__ import annotations

import json

from ..state import Delivery
from .accounts import Json


def hook_delivery_item(shown: Delivery) -> Json:
    """An attempt in a listing."""
    return {
        "id": shown.id,
        "guid": shown.guid,
        "delivered_at": shown.delivered_at,
        "redelivery": shown.redelivery,
        "duration": shown.duration,
        "status": shown.status,
        "status_code": shown.status_code,
        "event": shown.event,
        "action": shown.action,
        "installation_id": shown.installation_id,
        "repository_id": shown.repository_id,
        "throttled_at": None,
    }


def hook_delivery(shown: Delivery) -> Json:
    """An attempt with what was sent and answered."""
    return hook_delivery_item(shown) | {
        "url": shown.url,
        "request": {"headers": shown.request_headers, "payload": json.loads(shown.payload)},
        "response": {"headers": shown.response_headers, "payload": shown.response_body},
    }
