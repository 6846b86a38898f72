"""An example of every schema of selections, for the reference."""

from __future__ import annotations

from typing import Any

from ..schemas import EXAMPLE_SPEC

AT = "2026-03-01T09:00:00Z"
LATER = "2026-03-01T09:00:14Z"
SELECTION_ID = "019ca8b5-1c01-7b52-a1c4-90c1d7ee4b03"

SELECTION: dict[str, Any] = {
    "id": SELECTION_ID,
    "name": "add-security-policy",
    "namespace": "payments",
    "campaign_id": None,
    "run_id": None,
    "schedule_id": None,
    "previous_id": None,
    "is_fresh": False,
    "state": "complete",
    "phase": "finding",
    "found": 43,
    "expected": 43,
    "to_examine": 0,
    "examined": 0,
    "requests": 2,
    "points": 1,
    "index_as_of": None,
    "included": 40,
    "excluded": 3,
    "error": None,
    "created_by": "key:first",
    "created_at": AT,
    "finished_at": LATER,
}
_REPOSITORY = {
    "repository": "acme/api",
    "node_id": "R_kgDOAbCdEf",
    "database_id": 712398,
    "installation_id": 41298374,
    "branch": "main",
    "default_branch": "main",
    "head_oid": "8f2c1d7be90a4c5566f1a0b3c4d5e6f708192a3b",
    "included": True,
    "reason": "organisation acme has it",
    "entry": 0,
    "entries": [0],
    "condition": None,
    "visibility": "private",
    "archived": False,
    "fork": False,
    "template": False,
    "language": "Go",
    "topics": ["backend"],
    "properties": {"tier": ["gold"]},
    "created_at": "2024-05-06T07:08:09Z",
    "pushed_at": AT,
}
_SIDE = {"name_with_owner": "acme/api", "branch": "main", "included": True, "reason": "organisation acme has it"}
_DIFFERENCE = {
    "node_id": "R_kgDOAbCdEf",
    "changes": ["renamed"],
    "before": _SIDE,
    "after": {**_SIDE, "name_with_owner": "acme/backend"},
}
_KNOWN = {
    "node_id": "R_kgDOAbCdEf",
    "name_with_owner": "acme/api",
    "is_archived": False,
    "created_at": "2024-05-06T07:08:09Z",
    "seen_at": LATER,
}
_SCHEDULE = {
    "name": "every-morning",
    "namespace": "payments",
    "cron": "0 6 * * MON-FRI",
    "is_fresh": False,
    "next_at": "2026-03-02T06:00:00Z",
    "paused_at": None,
    "last_selection_id": SELECTION_ID,
    "created_by": "key:first",
    "created_at": AT,
}
_VALUE = {"value": "go", "count": 31}
_PART = {"index": 0, "text": "org: acme"}

_OWNER = {"kind": "team", "name": "acme/platform"}
_TEAM = {"slug": "acme/platform", "name": "Platform", "members": ["mona"], "is_missing": False}
EXAMPLES: dict[str, dict[str, Any]] = {
    "ShownOwner": _OWNER,
    "ShownOwned": {
        "repository": "acme/api",
        "branch": "main",
        "path": ".github/CODEOWNERS",
        "owners": [_OWNER],
        "all_owners": [_OWNER],
        "problems": [],
    },
    "ShownTeam": _TEAM,
    "OwnerCount": {"owner": _OWNER, "repositories": 38},
    "OwnersSummary": {
        "resolved": 40,
        "unowned": 2,
        "owners": [{"owner": _OWNER, "repositories": 38}],
        "teams": [_TEAM],
    },
    "NewSelection": {"document": EXAMPLE_SPEC, "fresh": False},
    "GivenRepeat": {"fresh": True},
    "NewSchedule": {"name": "every-morning", "document": EXAMPLE_SPEC, "cron": "0 6 * * MON-FRI", "fresh": False},
    "ShownSchedule": {"id": "019ca8b5-1c09-7a52-b1c4-90c1d7ee4b03", **_SCHEDULE, "document": EXAMPLE_SPEC},
    "ShownSelection": SELECTION,
    "SelectionDetails": {**SELECTION, "document": EXAMPLE_SPEC},
    "ShownRepository": _REPOSITORY,
    "ShownFacetValue": _VALUE,
    "Facets": {"total": 43, "facets": {"language": [_VALUE]}},
    "ShownPart": _PART,
    "ShownKnown": _KNOWN,
    "ShownExplanation": {
        "repository": "acme/api",
        "verdict": "branch main is in: organisation acme has it",
        "branches": [_REPOSITORY],
        "entries": [_PART],
        "conditions": [],
        "known": _KNOWN,
    },
    "ShownSide": _SIDE,
    "ShownDifference": _DIFFERENCE,
    "Differences": {
        "items": [_DIFFERENCE],
        "next_cursor": None,
        "counts": {"added": 0, "gone": 0, "included": 0, "excluded": 0, "renamed": 1, "default_branch": 0},
    },
}
