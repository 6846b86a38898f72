"""Who is in, who is out, and why."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from shared.domain.ids import InstallationId
from shared.domain.repository import Repository
from shared.domain.selection import SelectedRepository
from shared.domain.spec import OrganizationEntry, Skip
from workers.selection.candidates import EMPTY, NOT_GIVEN, candidate, filtered, skipped

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
        ({"language": ["Go"]}, set(), False, "its language is unknown, not Go"),
        ({"visibility": ["public", "internal"]}, set(), False, "it is private, not public or internal"),
        ({"properties": {"tier": "gold"}}, set(), False, "its property tier is not set, not gold"),
        ({"pushedSince": "90d"}, set(), False, "it was pushed to never, not since 2026-08-27 00:00"),
        ({"fork": True}, set(), False, "it is not a fork"),
        ({"archived": False, "template": False}, set(), True, "found"),
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


@pytest.mark.parametrize(
    ("skip", "facts", "reason"),
    [
        ({}, {"is_archived": True}, "it is archived"),
        ({"archived": False}, {"is_archived": True}, None),
        ({}, {"is_fork": True}, "it is a fork"),
        ({"forks": False}, {"is_fork": True}, None),
        ({"repos": ["acme/a*"]}, {}, "skip.repos has acme/a*"),
        ({"repos": ["acme/b*"]}, {}, None),
        ({}, {"is_template": True}, None),
        ({"templates": True}, {"is_template": True}, "it is a template"),
    ],
)
def test_what_is_skipped_says_so(skip: dict[str, object], facts: dict[str, object], reason: str | None) -> None:
    [result] = skipped([make_found(**facts)], Skip.model_validate(skip))
    assert (result.included, result.reason) == ((False, reason) if reason else (True, "found"))


def test_the_first_reason_to_be_out_stays() -> None:
    out = make_found(default_branch=None, head_oid=None, is_archived=True)
    [result] = skipped([out], Skip())
    assert result.reason == EMPTY
