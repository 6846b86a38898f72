"""An example of every schema, for the API's description."""

from __future__ import annotations

from typing import Any

from .api_keys.schemas import EXAMPLES as API_KEY_EXAMPLES
from .bulk.examples import examples as bulk_examples
from .campaigns.examples import EXAMPLES as NOTIFICATION_EXAMPLES
from .policies.schemas import EXAMPLE_POLICIES
from .runs.progress_examples import EXAMPLES as PROGRESS_EXAMPLES
from .selections import examples as selection_examples
from .webhook_endpoints.examples import EXAMPLES as WEBHOOK_EXAMPLES

_AT = "2026-03-01T09:00:00Z"
_LATER = "2026-03-01T09:00:14Z"
_RUN_ID = "019ca8b5-1c00-7a10-8b1e-3d5a0c9f2e11"
_CAMPAIGN_ID = "019ca8b4-f800-7c3d-9a77-54f1be0d6a02"
_SELECTION_ID = selection_examples.SELECTION_ID
_TARGET_ID = "019ca8b5-2b00-7d64-8f0a-7be2a9c31d04"
_OID = "8f2c1d7be90a4c5566f1a0b3c4d5e6f708192a3b"
_SHA256 = "5d41402abc4b2a76b9719d911017c592ae2f3b1c0d9e8f7a6b5c4d3e2f1a0b9c"

_LIMIT = {"name": "content an hour", "kind": "kept", "limit": 500, "left": 412, "free_at": "2026-03-01T09:48:10Z"}
_MADE = {"created_by": "key:first", "created_at": _AT}
_ROLE = {"role": "admin", "namespace": "*"}
_OPERATION = {
    "id": "019ca8b5-1c02-7e01-b2aa-1f6c5d8e9a05",
    "service": "selection",
    "type": "select_repositories",
    "state": "succeeded",
    "attempts": 0,
    "error": None,
    "actor": "key:first",
    "run_id": _RUN_ID,
    "target_id": None,
    "payload": {"selection_id": _SELECTION_ID},
    "created_at": _AT,
    "finished_at": _LATER,
}
_CAMPAIGN = {
    "id": _CAMPAIGN_ID,
    "name": "add-security-policy",
    "namespace": "payments",
    "description": "Say how to report a vulnerability",
    "state": "active",
    "current_version": 1,
    "updated_at": _AT,
    "archived_at": None,
    "closed_at": None,
    "next_run_at": None,
    **_MADE,
}
_RUN = {
    "id": _RUN_ID,
    "campaign_id": _CAMPAIGN_ID,
    "campaign_name": "add-security-policy",
    "spec_version": 1,
    "selection_id": _SELECTION_ID,
    "dry_run": False,
    "state": "completed",
    "error": None,
    "started_at": _AT,
    "finished_at": _LATER,
    "paused_at": None,
    "paused_by": None,
    "preview_run_id": None,
    **_MADE,
}
_SELECTION = {**selection_examples.SELECTION, "campaign_id": _CAMPAIGN_ID, "run_id": _RUN_ID}
_MISSING = {
    "name": "contents",
    "lacking": "installation",
    "wanted": "write",
    "granted": "read",
    "approval": "an owner of acme accepts the App's new permissions",
    "address": "https://github.com/organizations/acme/settings/installations/41298374",
}
_PROBE: dict[str, Any] = {
    "minted": False,
    "permissions": {},
    "repository_selection": None,
    "detail": "installation 41298374: The permissions requested are not granted to this installation.",
}
_DIFF_STAT = {"files": 1, "additions": 3, "deletions": 0}
_PULL_REQUEST = {"number": 17, "url": "https://github.com/acme/api/pull/17"}
_TARGET: dict[str, Any] = {
    "id": _TARGET_ID,
    "run_id": _RUN_ID,
    "repository": "acme/api",
    "base_branch": "main",
    "base_oid": _OID,
    "branch": "octobatch/security-policy",
    "group": "",
    "state": "open",
    "is_detached": False,
    "review_state": "none",
    "checks_state": "unknown",
    "reason": None,
    "warnings": [],
    "diff_stat": _DIFF_STAT,
    "pull_request": _PULL_REQUEST,
    "created_at": _AT,
    "updated_at": _LATER,
}
_PROBLEM_OF_A_SPEC = {
    "message": "unknown key 'reposotory'",
    "path": "on.0.reposotory",
    "line": 5,
    "column": 5,
    "hint": "did you mean 'repository'?",
}

_WARNING_COUNT = {
    "kind": "protection",
    "count": 12,
    "message": "protection: main is protected; merging needs 2 approvals",
    "repositories": ["acme/api", "acme/web", "acme/worker"],
}
_SPEC_CHANGE = {"part": "steps", "meaning": "from step 2 of 3 on: those before are as they were"}
_STREAM = {
    "service": "campaigns",
    "undelivered": 1203,
    "pending": 16,
    "delayed": 4,
    "due": 0,
    "held": 0,
    "dead_letters": 2,
    "oldest_age_seconds": 41.5,
    "consumers": 2,
    "acknowledged": 18230,
}
_DIGEST = "9zBp0cM2mVx7vQ1fZ3k8bnh5yJ4lR6tWQe0sUaOiDgk="
_LIVE_TOKEN = {
    "installation_id": 481,
    "permissions": {"contents": "read", "metadata": "read"},
    "repository_ids": [712398],
    "minted_at": _AT,
    "expires_at": "2026-03-01T10:00:00Z",
}
_ENTRY = {
    "id": "1772355600000-0",
    "at": _AT,
    "operation_id": _OPERATION["id"],
    "type": "prepare_target",
    "run_id": _RUN_ID,
    "target_id": _TARGET_ID,
    "actor": "key:first",
    "attempt": 1,
    "payload": {"target_id": _TARGET_ID},
    "unreadable": None,
}
_CONSUMER = {"name": "worker-0-7-5f3a91c2", "pending": 16, "idle_seconds": 0.2}
_GROUP = {
    "name": "workers",
    "undelivered": 1,
    "pending": 16,
    "last_delivered_id": "1772355614000-3",
    "consumers": [_CONSUMER],
}

_POLICY = {
    "name": "release-bots",
    "principals": [{"apiKey": "ci-.*"}],
    "installations": ["acme"],
    "repositories": ["acme/svc-.*"],
    "permissions": {"contents": "read", "pull_requests": "write"},
}
_ALLOWS = "policy release-bots allows contents: read, metadata: read, pull_requests: write on acme/svc-.*"
_TOO_MUCH = f"{_ALLOWS}; contents: write is more"

_CHECK_LINE = {
    "name": "clock",
    "ok": False,
    "detail": "this machine's is 9 min 58 s behind",
    "advice": "set the machine's clock by NTP; until then requests to GitHub are dated by GitHub's clock",
}

_WELL = {"name": "postgres", "is_healthy": True, "duration_ms": 0.7, "detail": ""}
_HEALTH = {"name": "github", "is_healthy": False, "duration_ms": 2000.4, "detail": "no answer within 2 s"}

EXAMPLES: dict[str, dict[str, Any]] = {
    "ActOutcome": {
        "dry_run": False,
        "matched": 2,
        "by_type": {"prepare_target": 2},
        "operations": 2,
        "requests": 0,
        "stale": 0,
        "unreadable": 0,
        "has_more": False,
    },
    "ShownCheck": {"ok": False, "lines": [_CHECK_LINE]},
    "ShownCheckLine": _CHECK_LINE,
    "NewPurge": {"type": "prepare_target", "run_id": _RUN_ID, "dead_letters": False, "dry_run": True},
    "NewReplay": {"type": "prepare_target", "since": _AT, "dry_run": True},
    "NewRequeue": {"type": "prepare_target"},
    "NewTrim": {"older_than_seconds": 86400},
    "ReplayOutcome": {
        "dry_run": True,
        "replay_id": None,
        "matched": 40,
        "by_type": {"prepare_target": 40},
        "by_state": {"succeeded": 38, "accepted": 2},
        "appended": 2,
        "accepted": 0,
    },
    "NewRun": {"dry_run": True, "version": None, "preview_run_id": None, "moved": "block"},
    "RunDetails": {
        **_RUN,
        "counts": {"open": 38, "unchanged": 2},
        "warnings": [_WARNING_COUNT],
        "selection": _SELECTION,
        "limits_allow_at": None,
        "waits_for": [],
        "expected_at": None,
    },
    "ShownHealth": _HEALTH,
    "ShownHealthReport": {"healthy": False, "checks": [_WELL, _HEALTH]},
    "ShownLife": {"alive": True},
    "ShownReadiness": {"ready": True, "checks": [_WELL]},
    "ShownAct": {
        "id": "019ca8b5-60a0-7c11-8d20-5e6f7a8b9c07",
        "at": _LATER,
        "actor": "key:first",
        "action": "streams.requeue",
        "service": "campaigns",
        "details": {"wanted": {"type": "prepare_target"}, "changed": {"operations": 2, "stale": 0}},
        "address": None,
        "method": None,
        "route": None,
        "resource": None,
        "status": None,
        "request_id": None,
    },
    "ShownArtifact": {
        "kind": "diff",
        "media_type": "text/x-diff; charset=utf-8",
        "size_bytes": 2481,
        "sha256": _SHA256,
        "created_at": _LATER,
    },
    "CampaignDetails": {**_CAMPAIGN, "latest_run": _RUN, "counts": {"open": 38, "unchanged": 2}},
    "ShownCampaign": _CAMPAIGN,
    "ShownConsumer": _CONSUMER,
    "ShownDeadLetter": {**_ENTRY, "error": "git: the remote hung up", "deliveries": 1},
    "ShownDiffStat": _DIFF_STAT,
    "ShownEntry": _ENTRY,
    "ShownEvent": {
        "id": "019ca8b5-52b0-7f10-9c3e-2a4b6c8d0e06",
        "type": "target.open",
        "payload": {"from": "publishing", "to": "open", "repository": "acme/api"},
        "occurred_at": _LATER,
    },
    "ShownGroup": _GROUP,
    "ShownIndex": {
        "installation_id": 41298374,
        "account": "acme",
        "repositories": 43,
        "completed_at": "2026-03-01T03:00:00Z",
        "swept_at": "2026-03-01T08:59:30Z",
        "age_seconds": 30.0,
        "listing_since": None,
        "error": None,
    },
    "ShownInstallation": {
        "id": 41298374,
        "account": "acme",
        "account_type": "Organization",
        "repository_selection": "all",
        "permissions": {"contents": "write", "pull_requests": "read", "metadata": "read"},
        "missing": {"pull_requests": "write"},
        "excessive": {},
        "suspended_at": None,
        "webhook_url": "https://octobatch.example/webhooks/github",
        "webhook_events": ["check_suite", "pull_request", "pull_request_review"],
        "updated_at": _AT,
        "checked_at": _LATER,
    },
    "ShownInstallationEvent": {
        "id": "019ca8b5-60a0-7c11-8d20-5e6f7a8b9c08",
        "type": "drifted",
        "details": {"account": "acme", "missing": {"pull_requests": "write"}, "excessive": {}},
        "occurred_at": _LATER,
    },
    "ShownLimit": _LIMIT,
    "ShownLimits": {
        "installation_id": 41298374,
        "paused_until": None,
        "writes_paused_until": None,
        "limits": [_LIMIT],
    },
    "ShownOperation": _OPERATION,
    "ShownPending": {**_ENTRY, "consumer": _CONSUMER["name"], "idle_seconds": 0.2, "deliveries": 1},
    "ShownProblem": _PROBLEM_OF_A_SPEC,
    "ShownPullRequest": _PULL_REQUEST,
    "ShownRun": _RUN,
    "ShownSpecChange": _SPEC_CHANGE,
    "ShownSpecDifference": {
        "lines": "--- bump-go version 1\n+++ bump-go version 2\n@@ -5 +5 @@\n-  - run: ./old.sh\n+  - run: ./new.sh\n",
        "changes": [_SPEC_CHANGE],
    },
    "ShownStream": _STREAM,
    "ShownTarget": _TARGET,
    "TargetDetails": {**_TARGET, "events": [], "artifacts": None},
    "ShownToken": {
        "token": "ghs_…",
        "expires_at": "2026-03-01T10:00:00Z",
        "minted_at": _AT,
        "permissions": {"contents": "read", "metadata": "read"},
        "repository_selection": "selected",
    },
    "ShownWait": {
        "kind": "limit",
        "text": "content creation: 500/h, next slot in 12 s",
        "until": _LATER,
    },
    "ShownWarningCount": _WARNING_COUNT,
    "ShownVersion": {"version": 1, "document": "version: 1\nname: add-security-policy\n", "sha256": _SHA256, **_MADE},
    "StartedRun": {
        "run": {**_RUN, "state": "pending", "started_at": None, "finished_at": None},
        "operation": {**_OPERATION, "state": "accepted", "finished_at": None},
    },
    "StartedSelection": {
        "selection": {**_SELECTION, "state": "pending", "finished_at": None},
        "operation": {**_OPERATION, "state": "accepted", "finished_at": None},
    },
    "StreamDetails": {
        **_STREAM,
        "length": 9412,
        "trimmed": 10054,
        "first_entry_id": "1772269200000-0",
        "first_entry_at": "2026-02-28T09:00:00Z",
        "last_entry_id": "1772355614000-4",
        "last_entry_at": _LATER,
        "groups": [_GROUP],
    },
    "GivenScope": {
        "permissions": {"contents": "read"},
        "repositories": ["api"],
        "min_ttl": 600,
        "purpose": "read the manifests",
    },
    "NewRevocation": {"installation_id": 481, "reason": "key stolen", "dry_run": True},
    "RevocationOutcome": {
        "dry_run": True,
        "tokens": 12,
        "lost": 0,
        "holders": ["key:ci", f"run:{_RUN_ID}"],
        "operation_id": None,
    },
    "ShownLiveToken": {
        **_LIVE_TOKEN,
        "sha256": _DIGEST,
        "holders": ["key:ci"],
        "is_evicted": False,
        "is_lost": False,
    },
    "ShownTokenAudit": {
        **_LIVE_TOKEN,
        "id": "019ca8b5-60a0-7c11-8d20-5e6f7a8b9c08",
        "at": _LATER,
        "kind": "grant",
        "requested_by": "key:ci",
        "purpose": "read the manifests",
        "run_id": None,
        "policy": "readers",
        "token_sha256": _DIGEST,
        "reason": None,
        "holders": None,
        "operation_id": None,
    },
    "GivenScopeQuestion": {
        "permissions": {"contents": "write"},
        "repositories": ["api"],
        "repository_ids": [],
        "probe": True,
    },
    "ShownMissing": _MISSING,
    "ShownProbe": _PROBE,
    "ShownScopeReport": {
        "allowed": False,
        "permissions": {},
        "repositories": ["acme/api"],
        "missing": [_MISSING],
        "policy": "release-bots",
        "policy_reason": "policy release-bots allows contents: write on every repository of acme",
        "probe": _PROBE,
    },
    "SyncOutcome": {"installations": 3, "changes": 0},
    "TrimOutcome": {
        "trimmed": 8120,
        "wanted": "1772352000000-0",
        "kept_from": "1772351990000-2",
        "held_by": "workers",
        "length": 1292,
    },
    "GivenPolicies": {"document": EXAMPLE_POLICIES, "prune": False, "dry_run": True},
    "GivenPrincipal": {"api_key": "ci-1"},
    "GivenQuestion": {
        "principal": {"api_key": "ci-1"},
        "account": "acme",
        "repositories": ["acme/svc-a"],
        "permissions": {"contents": "write"},
    },
    "ShownRoleOf": _ROLE,
    "ShownMe": {
        "kind": "key",
        "name": "first",
        "actor": "key:first",
        "issuer": "",
        "grants": [_ROLE],
        "scopes": ["read", "tokens", "write"],
    },
    "ShownConsidered": {"policy": "release-bots", "verdict": "too_much", "reason": _TOO_MUCH},
    "ShownDecision": {
        "allowed": False,
        "policy": None,
        "permissions": {},
        "reason": _TOO_MUCH,
        "considered": [{"policy": "release-bots", "verdict": "too_much", "reason": _TOO_MUCH}],
    },
    "ShownPolicy": {"name": "release-bots", "policy": _POLICY, "updated_by": "key:first", "updated_at": _AT},
    "ShownPolicyChanges": {
        "dry_run": True,
        "added": ["release-bots"],
        "changed": [],
        "removed": [],
        "unchanged": ["readers"],
    },
    **bulk_examples(_TARGET),
    **selection_examples.EXAMPLES,
    **WEBHOOK_EXAMPLES,
    **API_KEY_EXAMPLES,
    **PROGRESS_EXAMPLES,
    **NOTIFICATION_EXAMPLES,
    "Verdict": {"valid": False, "problems": [_PROBLEM_OF_A_SPEC]},
}
