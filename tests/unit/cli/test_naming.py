"""Which target is meant by a repository's name."""

from __future__ import annotations

import pytest

from cli.failures import CommandFailed
from cli.naming import choose_name, choose_target

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
        ("api", "", "c"),
        ("API-gateway", "", "a"),
    ],
)
def test_the_whole_name_counts_and_what_no_group_took_comes_first(
    repository: str, group: str, expected: str | None
) -> None:
    chosen = choose_target(FOUND, repository, group)
    assert (chosen and chosen["id"]) == expected


def test_a_part_of_one_name_is_enough_and_of_several_is_an_error_that_lists_them() -> None:
    chosen = choose_target(FOUND, "mono", "@mona")
    assert chosen is not None
    assert chosen["id"] == "d"
    with pytest.raises(CommandFailed, match="'acme/ap' is a part of 2 names: acme/api-gateway, acme/api"):
        choose_target(FOUND, "acme/ap", "")


NAMES = ["bump-go", "bump-go-tools", "add-policy"]


@pytest.mark.parametrize(("part", "chosen"), [("policy", "add-policy"), ("TOOLS", "bump-go-tools")])
def test_a_part_in_any_case_is_enough(part: str, chosen: str) -> None:
    assert choose_name(part, NAMES, what="campaign") == chosen


@pytest.mark.parametrize(
    ("part", "is_whole", "said", "hint"),
    [
        ("bump", False, "'bump' is a part of 2 names: bump-go, bump-go-tools", "say more"),
        ("policy", True, "there is no campaign policy", "did you mean add-policy?"),
        ("ad-policy", False, "there is no campaign ad-policy", "did you mean add-policy?"),
        ("xyz", False, "there is no campaign xyz", ""),
    ],
)
def test_what_is_meant_is_never_guessed(part: str, is_whole: bool, said: str, hint: str) -> None:
    with pytest.raises(CommandFailed, match=said) as refused:
        choose_name(part, NAMES, what="campaign", is_whole=is_whole)
    assert hint in refused.value.hint
