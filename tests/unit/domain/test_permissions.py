"""How permission levels compare."""

from __future__ import annotations

import pytest

from shared.domain.permissions import Level, missing_permissions, parse_permissions


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
