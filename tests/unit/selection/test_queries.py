"""A search is asked once for each owner it names."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from shared.domain.ids import InstallationId
from shared.domain.installation import Installation
from workers.selection.queries import OwnedQuery, for_each_installation, split_by_owner


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("org:acme language:go", [("acme", "org:acme language:go")]),
        ("language:go ORG:Acme", [("acme", "language:go ORG:Acme")]),
        ("user:ann topic:x", [("ann", "user:ann topic:x")]),
        ("repo:acme/api repo:acme/web", [("acme", "repo:acme/api repo:acme/web")]),
        ("org:acme x org:beta", [("acme", "org:acme x"), ("beta", "x org:beta")]),
        ("org:acme repo:beta/api", [("acme", "org:acme"), ("beta", "repo:beta/api")]),
        ("org:acme -org:beta", [("acme", "org:acme -org:beta")]),
        ("org:acme NOT repo:beta/x", [("acme", "org:acme NOT repo:beta/x")]),
        ('"org:quoted text" org:acme', [("acme", '"org:quoted text" org:acme')]),
        ('org:acme in:readme "two words"', [("acme", 'org:acme in:readme "two words"')]),
        ("language:go", []),
        ("-org:acme language:go", []),
        ("", []),
    ],
)
def test_each_owner_is_asked_for_its_own(query: str, expected: list[tuple[str, str]]) -> None:
    assert split_by_owner(query) == [OwnedQuery(*each) for each in expected]


def test_a_search_of_nobody_is_asked_of_every_installation() -> None:
    def installed(number: int, account: str, kind: str) -> Installation:
        return Installation(
            id=InstallationId(number),
            account=account,
            account_type=kind,
            repository_selection="all",
            permissions={},
            suspended_at=None,
            updated_at=datetime.now(UTC),
        )

    known = [installed(1, "acme", "Organization"), installed(2, "ann", "User")]
    assert for_each_installation("language:go", known) == [
        OwnedQuery("acme", "language:go org:acme"),
        OwnedQuery("ann", "language:go user:ann"),
    ]
