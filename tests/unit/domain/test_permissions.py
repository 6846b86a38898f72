"""How permission levels compare."""

from __future__ import annotations

import pytest

from shared.domain.permissions import (
    EXPECTED,
    Level,
    excessive_permissions,
    missing_permissions,
    parse_permissions,
    parse_permissions_text,
    permissions_text,
)


def test_a_higher_level_covers_a_lower_one() -> None:
    assert missing_permissions({"contents": Level.READ}, {"contents": Level.ADMIN}) == {}


def test_a_lower_level_does_not_cover_a_higher_one() -> None:
    assert missing_permissions({"contents": Level.WRITE}, {"contents": Level.READ}) == {"contents": Level.WRITE}


def test_what_is_not_granted_is_missing() -> None:
    wanted = {"checks": Level.READ, "metadata": Level.READ}
    assert missing_permissions(wanted, {"metadata": Level.READ}) == {"checks": Level.READ}


def test_a_level_that_github_does_not_have_is_refused() -> None:
    with pytest.raises(ValueError, match="owner"):
        parse_permissions({"contents": "owner"})


def test_what_goes_beyond_what_is_expected_is_excessive_at_the_level_it_has() -> None:
    granted = {**EXPECTED, "contents": Level.ADMIN, "workflows": Level.WRITE, "checks": Level.READ}
    assert excessive_permissions(granted, EXPECTED) == {"contents": Level.ADMIN, "workflows": Level.WRITE}


def test_permissions_are_written_and_read_in_one_line() -> None:
    assert permissions_text({"pull_requests": Level.WRITE, "checks": Level.READ}) == "checks:read,pull_requests:write"
    assert parse_permissions_text(permissions_text(EXPECTED)) == EXPECTED
    assert parse_permissions_text(" checks : read , ") == {"checks": Level.READ}


@pytest.mark.parametrize("text", ["contents", "contents:owner", ":read", "checks:read,checks:write"])
def test_a_line_that_is_not_permissions_is_refused_by_its_part(text: str) -> None:
    with pytest.raises(ValueError, match="RESOURCE:LEVEL"):
        parse_permissions_text(text)
