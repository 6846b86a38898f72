"""What `octobatch keys` is told, and what it says of a key."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from cli.failures import CommandFailed
from cli.keys import grant_of, state_of

NOW = datetime(2026, 3, 1, 9, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "grant"),
    [
        ("author:payments", {"role": "author", "namespace": "payments"}),
        ("admin", {"role": "admin", "namespace": "*"}),
        ("viewer:*", {"role": "viewer", "namespace": "*"}),
    ],
)
def test_a_grant_is_a_role_and_where(text: str, grant: dict[str, str]) -> None:
    assert grant_of(text) == grant


def test_a_role_that_is_none_is_refused_with_those_there_are() -> None:
    with pytest.raises(CommandFailed, match="there is no role 'owner'") as refused:
        grant_of("owner:payments")
    assert "viewer, author, operator, admin" in refused.value.hint


@pytest.mark.parametrize(
    ("expires_at", "revoked_at", "said"),
    [
        (None, None, "valid"),
        ("2026-03-02T09:00:00Z", None, "valid until"),
        ("2026-02-28T09:00:00Z", None, "expired"),
        (None, "2026-02-28T09:00:00Z", "revoked"),
    ],
)
def test_a_key_says_whether_it_is_valid(expires_at: str | None, revoked_at: str | None, said: str) -> None:
    assert state_of({"expires_at": expires_at, "revoked_at": revoked_at}, NOW).startswith(said)
