"""Who is in, who is out, and why."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.ids import InstallationId
from shared.domain.repository import Repository
from shared.domain.selection import SelectedRepository
from shared.domain.spec import OrganizationEntry, Skip
from workers.selection.candidates import (
    EMPTY,
    NOT_GIVEN,
    by_installation,
    candidate,
    filtered,
    limited,
    opted_out,
    skipped,
    union,
)

NOW = datetime(2026, 11, 25, tzinfo=UTC)


def make_repository(name: str = "acme/api", **facts: object) -> Repository:
    number = abs(hash(name)) % 1_000_000
    base = Repository(
        node_id=f"R_{name}",
        database_id=number,
        name_with_owner=name,
        default_branch="main",
        head_oid="1" * 40,
        installation_id=InstallationId(1),
    )
    return replace(base, **facts)  # type: ignore[arg-type]


def make_found(name: str = "acme/api", *, entry: int = 0, **facts: object) -> SelectedRepository:
    return candidate(make_repository(name, **facts), entry=entry, reason="found", accessible=None)


def organization(**options: object) -> OrganizationEntry:
    return OrganizationEntry.model_validate({"org": "acme", **options})


def test_a_repository_is_in_with_its_default_branch_and_head() -> None:
    found = make_found()
    assert (found.included, found.reason, found.branch, found.head_oid) == (True, "found", "main", "1" * 40)


def test_an_empty_repository_is_out() -> None:
    found = make_found(default_branch=None, head_oid=None)
    assert (found.included, found.reason, found.branch) == (False, EMPTY, "")


def test_a_repository_that_the_app_was_not_given_is_out() -> None:
    repository = make_repository()
    out = candidate(repository, entry=0, reason="found", accessible=frozenset({repository.database_id + 1}))
    given = candidate(repository, entry=0, reason="found", accessible=frozenset({repository.database_id}))
    assert (out.included, out.reason) == (False, NOT_GIVEN)
    assert given.included


@pytest.mark.parametrize(
    ("options", "topics", "included", "reason"),
    [
        ({}, set(), True, "found"),
        ({"topic": ["backend"]}, {"backend", "go"}, True, "found"),
        ({"topic": ["Backend"]}, {"backend"}, True, "found"),
        ({"topic": ["backend", "go"]}, {"backend"}, False, "it lacks the topic go"),
        ({"repo-include": "^svc-"}, set(), True, "found"),
        ({"repo-include": "^api-"}, set(), False, "its name does not match repo-include ^api-"),
        ({"repo-exclude": "-legacy$"}, set(), True, "found"),
        ({"repo-exclude": "^svc"}, set(), False, "its name matches repo-exclude ^svc"),
        ({"repo-include": "svc", "repo-exclude": "users"}, set(), False, "its name matches repo-exclude users"),
    ],
)
def test_an_organisation_entry_says_what_a_repository_lacks(
    options: dict[str, object], topics: set[str], included: bool, reason: str
) -> None:
    found = make_found("acme/svc-users", topics=tuple(sorted(topics)))
    result = filtered(found, organization(**options), now=NOW)
    assert (result.included, result.reason) == (included, reason)


def test_a_repository_is_in_when_any_entry_has_it_in() -> None:
    out = replace(make_found(entry=0), included=False, reason="no")
    found = make_found(entry=1)
    later = make_found(entry=2)
    assert union([out, found, later]) == [found]
    assert union([found, out]) == [found]


def test_branches_of_one_repository_are_apart() -> None:
    release = replace(make_found(), branch="release")
    assert union([make_found(), release]) == [make_found(), release]


@pytest.mark.parametrize(
    ("skip", "facts", "reason"),
    [
        ({}, {"is_archived": True}, "it is archived"),
        ({"archived": False}, {"is_archived": True}, None),
        ({}, {"is_fork": True}, "it is a fork"),
        ({"forks": False}, {"is_fork": True}, None),
        ({"repos": ["acme/a*"]}, {}, "skip.repos has acme/a*"),
        ({"repos": ["acme/b*"]}, {}, None),
    ],
)
def test_what_is_skipped_says_so(skip: dict[str, object], facts: dict[str, object], reason: str | None) -> None:
    [result] = skipped([make_found(**facts)], Skip.model_validate(skip))
    assert (result.included, result.reason) == ((False, reason) if reason else (True, "found"))


def test_the_first_reason_to_be_out_stays() -> None:
    out = make_found(default_branch=None, head_oid=None, is_archived=True)
    [result] = skipped([out], Skip())
    assert result.reason == EMPTY


def test_a_repository_with_the_opt_out_file_is_out() -> None:
    selected = [make_found("acme/a"), make_found("acme/b")]
    result = opted_out(selected, frozenset({"R_acme/b"}), path=".batchignore")
    assert [each.included for each in result] == [True, False]
    assert ".batchignore" in result[1].reason


def test_a_limit_counts_repositories_with_all_their_branches() -> None:
    first = make_found("acme/a")
    release = replace(first, branch="release")
    archived = replace(make_found("acme/b"), included=False, reason="it is archived")
    result = limited([first, archived, release, make_found("acme/c"), make_found("acme/d")], 2)
    assert [each.included for each in result] == [True, False, True, True, False]
    assert result[1].reason == "it is archived"
    assert result[4].reason == "it is beyond the limit of 2"


def test_no_limit_leaves_all_in() -> None:
    selected = [make_found("acme/a"), make_found("acme/b")]
    assert limited(selected, 0) == selected


def test_only_what_is_in_is_asked_about_and_once() -> None:
    first = make_found("acme/a")
    out = replace(make_found("acme/b"), included=False, reason="no")
    other = make_found("beta/a", installation_id=InstallationId(2))
    result = by_installation([first, replace(first, branch="x"), out, other])
    assert result == {1: ["R_acme/a"], 2: ["R_beta/a"]}


@given(
    st.lists(st.tuples(st.sampled_from("abcdef"), st.sampled_from(["main", "next"]), st.booleans())),
    st.integers(0, 4),
)
def test_nothing_found_is_lost_or_doubled(found: list[tuple[str, str, bool]], limit: int) -> None:
    candidates = [
        replace(make_found(f"acme/{name}"), branch=branch, included=included, reason="x")
        for name, branch, included in found
    ]
    result = limited(union(candidates), limit)
    keys = [(each.repository.node_id, each.branch) for each in result]
    assert len(keys) == len(set(keys))
    assert set(keys) == {(each.repository.node_id, each.branch) for each in candidates}
    in_repositories = {each.repository.node_id for each in result if each.included}
    assert not limit or len(in_repositories) <= limit
