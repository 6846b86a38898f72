"""What counts as a change of an installation."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from shared.domain.drift import changes, compared, drift_text
from shared.domain.ids import InstallationId
from shared.domain.installation import Installation
from shared.domain.permissions import EXPECTED, Level

NOW = datetime(2026, 1, 2, tzinfo=UTC)
FINE = Installation(
    id=InstallationId(7),
    account="acme",
    account_type="Organization",
    repository_selection="all",
    permissions=EXPECTED,
    suspended_at=None,
    updated_at=NOW,
)
LACKING = compared(replace(FINE, permissions={**EXPECTED, "pull_requests": Level.READ}), EXPECTED)
GREEDY = compared(replace(FINE, permissions={**EXPECTED, "workflows": Level.WRITE}), EXPECTED)
SUSPENDED = replace(FINE, suspended_at=NOW)
GONE = replace(LACKING, deleted_at=NOW)


@pytest.mark.parametrize(
    ("before", "now", "told"),
    [
        (None, FINE, ["installed"]),
        (None, LACKING, ["installed", "drifted"]),
        (None, SUSPENDED, ["installed", "suspended"]),
        (None, GONE, []),
        (FINE, FINE, []),
        (FINE, LACKING, ["drifted"]),
        (LACKING, LACKING, []),
        (LACKING, GREEDY, ["drifted"]),
        (LACKING, FINE, ["restored"]),
        (FINE, SUSPENDED, ["suspended"]),
        (SUSPENDED, replace(SUSPENDED, suspended_at=datetime(2026, 1, 3, tzinfo=UTC)), []),
        (SUSPENDED, FINE, ["unsuspended"]),
        (LACKING, GONE, ["uninstalled"]),
        (GONE, GONE, []),
        (GONE, LACKING, ["installed", "drifted"]),
    ],
)
def test_each_change_is_told_and_nothing_else(before: Installation | None, now: Installation, told: list[str]) -> None:
    assert [change.type.value for change in changes(before, now)] == told


def test_drift_is_said_in_words() -> None:
    assert drift_text(FINE) == ""
    assert drift_text(LACKING) == "acme lacks pull_requests: write"
    assert drift_text(GREEDY) == "acme grants workflows: write beyond what is expected"
