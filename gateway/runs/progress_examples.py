"""Examples of how far a run is, for the description of the API."""

from __future__ import annotations

from typing import Any

_STEP = {"at": "2026-03-01T09:00:14Z", "opened": 40, "merged": 12, "closed": 1}
_GATE = {"name": "merged", "wanted": 0.9, "now": 0.5}
_WAVE = {"number": 1, "percent": 5, "size": 2, "counts": {"merged": 1, "open": 1}, "gate": [_GATE]}
_OWNER = {"owner": "acme/platform", "kind": "team", "counts": {"merged": 12, "open": 3}}

EXAMPLES: dict[str, dict[str, Any]] = {
    "RunProgress": {"burndown": [_STEP], "waves": [_WAVE], "owners": [_OWNER]},
    "ShownBurndownStep": _STEP,
    "ShownGate": _GATE,
    "ShownOwnerProgress": _OWNER,
    "ShownWave": _WAVE,
}
