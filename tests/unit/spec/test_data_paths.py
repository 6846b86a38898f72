"""Paths into YAML, JSON and TOML find the places that they say, and no other."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.data_paths import InvalidDataPath, locate, parse_data_path

DATA: dict[Any, Any] = {
    "jobs": {
        "a": {"steps": [{"uses": "x", "with": {"v": 1}}, {"run": "q"}]},
        "b": {"steps": [{"uses": "y"}, {"uses": "x"}]},
    },
    "none": None,
    404: "number",
    True: "boolean",
    "a.b": {"c d": 1},
    "list": [[1, 2], [3]],
}


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("jobs.*.steps[?uses=='x'].uses", [("jobs", "a", "steps", 0, "uses"), ("jobs", "b", "steps", 1, "uses")]),
        ('jobs.*.steps[?uses=="y"]', [("jobs", "b", "steps", 0)]),
        ("jobs.b.steps[?uses!='x'].uses", [("jobs", "b", "steps", 0, "uses")]),
        ("jobs.a.steps[?uses].with", [("jobs", "a", "steps", 0, "with")]),
        ("jobs.a.steps[?with.v==1].uses", [("jobs", "a", "steps", 0, "uses")]),
        ("jobs.a.steps[?with.v==true].uses", []),
        ("jobs.a.steps[-1].run", [("jobs", "a", "steps", 1, "run")]),
        ("jobs.a.steps[9].run", []),
        ("jobs.a.steps[*].name", [("jobs", "a", "steps", 0, "name"), ("jobs", "a", "steps", 1, "name")]),
        ("list[*][0]", [("list", 0, 0), ("list", 1, 0)]),
        ("permissions.contents", [("permissions", "contents")]),
        ("none.x.y", [("none", "x", "y")]),
        ("jobs.c.steps[0].uses", []),
        ("jobs.*.c", [("jobs", "a", "c"), ("jobs", "b", "c")]),
        ("404", [(404,)]),
        ("true", [(True,)]),
        ("'a.b'.'c d'", [("a.b", "c d")]),
        ("['a.b'][\"c d\"]", [("a.b", "c d")]),
        ("jobs.a.steps.x", []),
        ("list.x", []),
    ],
)
def test_a_path_finds_its_places(path: str, expected: list[Any]) -> None:
    assert locate(parse_data_path(path), DATA) == expected


@pytest.mark.parametrize("path", ["", ".", "a..b", "a.", ".a", "a[", "a[x]", "a[?b=1]", "a b", "a]", "a[?b=='c]"])
def test_what_is_no_path_is_refused_with_its_place(path: str) -> None:
    with pytest.raises(InvalidDataPath, match=r"character|at least one"):
        parse_data_path(path)


@given(st.lists(st.text(st.characters(exclude_characters="'\\"), min_size=1), min_size=1, max_size=5))
def test_any_key_can_be_named_in_quotes(keys: list[str]) -> None:
    data: Any = 1
    for key in reversed(keys):
        data = {key: data}
    assert locate(parse_data_path(".".join(f"'{key}'" for key in keys)), data) == [tuple(keys)]


def test_a_path_that_finds_too_much_is_refused() -> None:
    with pytest.raises(InvalidDataPath, match="more than"):
        locate(parse_data_path("[*][*]"), [[1] * 200] * 200)
