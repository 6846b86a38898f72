"""Examples of bulk operations for the API's description."""

from __future__ import annotations

from typing import Any

_AT = "2026-03-01T09:00:00Z"
_LATER = "2026-03-01T09:00:14Z"
_SKIPPED = {"state": "skipped", "reason": "is a draft: undraft it first", "count": 2}
_FILTER = {"states": ["open"], "repository": "acme/svc-*", "checks_states": ["passed"]}
_BULK = {
    "id": "019ca8b5-80c0-7f21-a9b4-6c7d8e9f0a11",
    "campaign_id": "019ca8b4-f800-7c3d-9a77-54f1be0d6a02",
    "campaign_name": "add-security-policy",
    "run_id": "019ca8b5-1c00-7a10-8b1e-3d5a0c9f2e11",
    "action": "merge",
    "parameters": {"method": "squash"},
    "filter": _FILTER,
    "state": "running",
    "counts": {"pending": 12, "done": 26, "skipped": 2},
    "created_by": "key:first",
    "created_at": _AT,
    "finished_at": None,
}


def examples(target: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """One of each schema; `target` is that of a target."""
    return {
        "BulkDetails": {**_BULK, "reasons": [_SKIPPED]},
        "BulkOutcome": {
            "dry_run": True,
            "applies": 38,
            "first": ["acme/svc-accounts", "acme/svc-api"],
            "skipped": 2,
            "reasons": [_SKIPPED],
            "bulk_operation": None,
        },
        "BulkParameters": {"method": "squash"},
        "ClosingOutcome": {"dry_run": True, "runs": 1, "pull_requests": 38, "branches": 40, "bulk_operation": None},
        "NewBulkOperation": {
            "action": "merge",
            "parameters": {"method": "squash"},
            "filter": _FILTER,
            "dry_run": True,
        },
        "NewClosing": {"delete_branches": True, "dry_run": True},
        "ShownBulkOperation": _BULK,
        "ShownBulkTarget": {"target": target, "state": "done", "reason": None, "finished_at": _LATER},
        "ShownReason": _SKIPPED,
        "TargetFilter": _FILTER,
    }
