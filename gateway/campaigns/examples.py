"""Examples of notifications for the API's description."""

from __future__ import annotations

from typing import Any

_EXAMPLE = {
    "repository": "acme/api",
    "reason": "somebody else has pushed to octobatch/security-policy",
    "target_id": "019ca8b5-2b00-7d64-8f0a-7be2a9c31d04",
    "pull_request_url": "https://github.com/acme/api/pull/17",
}
_NOTICE = {
    "moment": "targetsBlocked",
    "text": "1 target is blocked",
    "run_id": "019ca8b5-1c00-7a10-8b1e-3d5a0c9f2e11",
    "examples": [_EXAMPLE],
}

EXAMPLES: dict[str, dict[str, Any]] = {
    "ShownExample": _EXAMPLE,
    "ShownNotice": _NOTICE,
    "ShownNotification": {
        "id": "019ca8b5-80c0-7d02-9a31-6f708192a3b4",
        "channel": {"slack": {"url": {"secret": "slack-releases"}}},
        "to": "slack slack-releases",
        "notices": [_NOTICE],
        "state": "delivered",
        "attempts": 1,
        "due_at": "2026-03-01T09:00:14Z",
        "error": None,
        "created_at": "2026-03-01T09:00:14Z",
        "finished_at": "2026-03-01T09:00:15Z",
    },
}
