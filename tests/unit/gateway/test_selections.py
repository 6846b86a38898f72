"""What is told of selections without asking anybody: what entries are about, and cells that calculate nothing."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.exporting import csv_cell
from gateway.schemas import EXAMPLE_SPEC
from gateway.selections.explaining import entry_text, names_account
from shared.domain.spec import OnEntry, parse_spec


def entries_of(on: str) -> tuple[OnEntry, ...]:
    return parse_spec(EXAMPLE_SPEC.replace("on:\n  - org: acme", f"on: [{on}]")).on


@pytest.mark.parametrize(
    ("on", "is_about_acme"),
    [
        ("{org: Acme}", True),
        ("{org: beta}, {team: acme/web}", True),
        ("{installation: '*'}", True),
        ("{repositories: [beta/api, acme/api]}", True),
        ("{org: beta}, {exclude: {org: acme}}", False),
        ("{repository: beta/acme}", False),
        ("{org: beta}, {repositoriesMatchingQuery: 'topic:x'}", None),
    ],
)
def test_whether_any_entry_is_about_an_account(on: str, is_about_acme: bool | None) -> None:
    assert names_account(entries_of(on), "acme") is is_about_acme


@pytest.mark.parametrize(
    ("on", "text"),
    [
        ("{org: acme, language: [Go]}", "org: acme"),
        ("{repositoriesMatchingQuery: 'org:acme'}", "repositoriesMatchingQuery: org:acme"),
        ("{exclude: {team: acme/web}}", "exclude team: acme/web"),
        ("{repositories: [acme/a, acme/b]}", "repositories: 2 names"),
    ],
)
def test_an_entry_is_told_by_what_it_names(on: str, text: str) -> None:
    assert entry_text(entries_of(on)[0]) == text


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        (None, ""), (True, "true"), (7, "7"), (["a", "b"], "a b"), ({"tier": ["ä"]}, '{"tier": ["ä"]}'),
        ("=1+1", "'=1+1"), ("@SUM(A1)", "'@SUM(A1)"), ("-1", "'-1"), (["+x"], "'+x"), ("acme/api", "acme/api"),
    ],
)  # fmt: skip
def test_no_cell_begins_like_a_formula(value: Any, cell: str) -> None:
    assert csv_cell(value) == cell
