"""Which target is meant by a repository's name."""

from __future__ import annotations

import pytest

from cli.naming import choose_target

FOUND = [
    {"id": target_id, "repository": repository, "group": group}
    for target_id, repository, group in (
        ("a", "acme/api-gateway", ""),
        ("b", "acme/api", "web"),
        ("c", "acme/api", ""),
        ("d", "acme/mono", "@mona"),
    )
]


@pytest.mark.parametrize(
    ("repository", "group", "expected"),
    [
        ("acme/api", "", "c"),
        ("Acme/API", "web", "b"),
        ("acme/mono", "", "d"),
        ("acme/mono", "web", None),
        ("acme/ap", "", None),
    ],
)
def test_the_whole_name_counts_and_what_no_group_took_comes_first(
    repository: str, group: str, expected: str | None
) -> None:
    chosen = choose_target(FOUND, repository, group)
    assert (chosen and chosen["id"]) == expected
