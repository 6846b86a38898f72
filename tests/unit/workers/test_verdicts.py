"""Reasons as they are kept."""

from __future__ import annotations

from workers.verdicts import LONGEST_REASON, storable


def test_a_reason_is_kept_without_secrets_and_without_what_postgres_refuses() -> None:
    assert storable("ghs_abcdefgh said \x00") == "[redacted] said �"


def test_a_reason_is_not_endless() -> None:
    assert len(storable("x" * 100_000)) == LONGEST_REASON
