"""Examples of outgoing webhooks for the API's description."""

from __future__ import annotations

from typing import Any

_AT = "2026-03-01T09:00:00Z"
_LATER = "2026-03-01T09:00:14Z"
_URL = "https://hooks.acme.example/octobatch"
_EVENTS = ["run.*", "target.merged"]
_SECRET = "whsec_…"  # noqa: S105 - no secret, but its form
_ENDPOINT = {
    "id": "019ca8b5-70c0-7d02-9a31-6f708192a3b4",
    "url": _URL,
    "description": "tells the release channel",
    "events": _EVENTS,
    "campaign": "add-security-policy",
    "rotated_at": None,
    "failures": 0,
    "held_until": None,
    "paused_at": None,
    "disabled_at": None,
    "disabled_reason": None,
    "created_by": "key:first",
    "created_at": _AT,
    "updated_at": _AT,
}
_DELIVERY = {
    "id": "019ca8b5-52b0-7f10-9c3e-2a4b6c8d0e06",
    "type": "target.merged",
    "state": "delivered",
    "attempts": 1,
    "due_at": _LATER,
    "error": None,
    "created_at": _LATER,
    "finished_at": _LATER,
}
_ATTEMPT = {"attempted_at": _LATER, "duration_ms": 41, "status": 200, "response": "ok", "error": None}
_CONTENT = {
    "type": "target.merged",
    "timestamp": _LATER,
    "data": {
        "campaign": "add-security-policy",
        "run_id": "019ca8b5-1c00-7a10-8b1e-3d5a0c9f2e11",
        "target_id": "019ca8b5-2b00-7d64-8f0a-7be2a9c31d04",
        "repository": "acme/api",
        "from": "open",
        "to": "merged",
        "pull_request": {"number": 17, "url": "https://github.com/acme/api/pull/17"},
    },
}

EXAMPLES: dict[str, dict[str, Any]] = {
    "DeliveryDetails": {**_DELIVERY, "content": _CONTENT, "tried": [_ATTEMPT]},
    "EndpointChanges": {"url": _URL, "events": _EVENTS, "description": "tells the release channel"},
    "EndpointWithSecret": {"endpoint": _ENDPOINT, "secret": _SECRET},
    "NewEndpoint": {
        "url": _URL,
        "events": _EVENTS,
        "campaign": "add-security-policy",
        "description": "tells the release channel",
    },
    "Resent": {"messages": 3},
    "ShownAttempt": _ATTEMPT,
    "ShownDelivery": _DELIVERY,
    "ShownEndpoint": _ENDPOINT,
    "ShownSecret": {"secret": _SECRET},
}
