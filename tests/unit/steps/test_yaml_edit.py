"""YAML edits change the value and nothing else: every other byte stays."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.yaml_tree import parse_documents
from workers.campaigns.steps.text import EditFailed
from workers.campaigns.steps.yaml_edit import set_yaml

WORKFLOW = """# top
name:   CI   # c
on: [push]
env:
permissions: {}
jobs:
    build:
        runs-on: 'ubuntu-20.04' # x
        steps:
            - uses: actions/setup-go@v4   # pin
              with: { go-version: "1.22" }
            - run: |
                make
                make test

            - uses: actions/checkout@v3
    # trailing
    last: &a
        x: 1
other: *a
s: >-
  folded
  text
"""


def changed_lines(before: str, after: str) -> tuple[list[str], list[str]]:
    """The lines that only one of the texts has."""
    old, new = before.split("\n"), after.split("\n")
    return [line for line in old if line not in new], [line for line in new if line not in old]


@pytest.mark.parametrize(
    ("path", "value", "gone", "come"),
    [
        (
            "jobs.*.steps[?uses=='actions/setup-go@v4'].uses",
            "actions/setup-go@v5",
            ["            - uses: actions/setup-go@v4   # pin"],
            ["            - uses: actions/setup-go@v5   # pin"],
        ),
        (
            "jobs.build.runs-on",
            "ubuntu-24.04",
            ["        runs-on: 'ubuntu-20.04' # x"],
            ["        runs-on: 'ubuntu-24.04' # x"],
        ),
        (
            "jobs.*.steps[0].with.cache",
            True,
            ['              with: { go-version: "1.22" }'],
            ['              with: { go-version: "1.22", cache: true }'],
        ),
        ("jobs.build.timeout-minutes", 10, [], ["        timeout-minutes: 10"]),
        ("jobs.build.steps[2].name", "Get it", [], ["              name: Get it"]),
        ("permissions.contents", "read", ["permissions: {}"], ["permissions: {contents: read}"]),
        ("env.FOO.BAR", "x: y", [], ["    FOO:", "        BAR: 'x: y'"]),
        ("env", "q", ["env:"], ["env: q"]),
        ("concurrency", {"group": "a", "max": 1}, [], ["concurrency:", "    group: a", "    max: 1"]),
        ("jobs.build.steps[1].run", "make all\n", ["                make", "                make test"],
         ["                make all"]),
        ("s", "new", ["s: >-", "  folded", "  text"], ["s: new"]),
        ("name", "yes", ["name:   CI   # c"], ["name:   'yes'   # c"]),
        ("name", "2020-01-01", ["name:   CI   # c"], ["name:   '2020-01-01'   # c"]),
        ("name", "a # b", ["name:   CI   # c"], ["name:   'a # b'   # c"]),
        ("name", "tab\there", ["name:   CI   # c"], ['name:   "tab\\there"   # c']),
        ("name", None, ["name:   CI   # c"], ["name:   null   # c"]),
        ("other", 5, ["other: *a"], ["other: 5"]),
        ("on", ["push", "pull_request"], ["on: [push]"], ["on: [push, pull_request]"]),
        ("jobs.last.x", 7, ["        x: 1"], ["        x: 7"]),
        ("nothing[*].here", 1, [], []),
        ("name", "CI", [], []),
    ],
)  # fmt: skip
def test_a_value_is_set_and_every_other_line_stays(path: str, value: Any, gone: list[str], come: list[str]) -> None:
    assert changed_lines(WORKFLOW, set_yaml(WORKFLOW, {path: value})) == (gone, come)


def test_every_document_of_a_file_is_edited() -> None:
    assert set_yaml("kind: A\n---\nkind: B # x\n", {"kind": "C"}) == "kind: C\n---\nkind: C # x\n"


def test_text_of_several_lines_is_written_as_a_block() -> None:
    steps = [{"name": "x", "run": "one\ntwo\n"}, {"with": {"list": [1, [2]], "none": {}}}]
    assert set_yaml("jobs:\n  a: 1\n", {"jobs.steps": steps}) == (
        "jobs:\n  a: 1\n  steps:\n    - name: x\n      run: |\n        one\n        two\n"
        "    - with:\n        list:\n          - 1\n          - - 2\n        none: {}\n"
    )


def test_several_values_are_set_in_order() -> None:
    assert set_yaml("a: 1\n", {"b.c": 2, "b.d": 3, "a": 4}) == "a: 4\nb:\n  c: 2\n  d: 3\n"


@pytest.mark.parametrize(
    ("text", "path", "message"),
    [
        ("a: {{ .Values.x }}\n", "b", "key must be plain text in line 1"),
        ("a: [\n", "b", "not editable YAML"),
        ("a: &x\n  b: 1\nc: *x\n", "a", "no anchor &x"),
        ("a: 1\na: 2\n", "b", "there twice"),
        ("-\n- b\n", "[0]", "empty item"),
        ("a: |\n  text", "b", "without changing something else"),
    ],
)
def test_what_cannot_be_edited_safely_is_refused(text: str, path: str, message: str) -> None:
    with pytest.raises(EditFailed, match=message):
        set_yaml(text, {path: 5})


def test_aliases_follow_the_value_that_they_stand_for() -> None:
    assert set_yaml("a: &x {b: 1}\nc: *x\n", {"c.b": 2}) == "a: &x {b: 2}\nc: *x\n"
    assert set_yaml("v: &v 1\nw: *v\n", {"v": 2}) == "v: &v 2\nw: *v\n"
    assert set_yaml("v: &v 1\nw: *v\n", {"w": 2}) == "v: &v 1\nw: 2\n"


KEYS = st.text("abcdefgh_", min_size=1, max_size=6)
SCALARS = st.one_of(
    st.integers(-1000, 1000), st.booleans(), st.none(), st.text(st.characters(codec="utf-8"), max_size=20)
)
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3))
COMMENTS = st.text("abc #-:'\"", max_size=10)


@st.composite
def documents(draw: st.DrawFn) -> tuple[str, list[str]]:
    """A mapping with comments and odd spaces, and its keys."""
    keys = draw(st.lists(KEYS, min_size=1, max_size=6, unique=True))
    lines: list[str] = []
    for key in keys:
        comment = draw(COMMENTS)
        value = draw(st.sampled_from(["1", "'q'", '"d"', "plain text", "[1, 2]", "{x: 1}", "", "|\n  block\n  more"]))
        space = " " * draw(st.integers(1, 3)) if value else ""
        tail = f" # {comment}" if comment and not value.startswith("|") else ""
        lines += [f"# {draw(COMMENTS)}", f"{key}:{space}{value}{tail}", *draw(st.sampled_from([[], [""]]))]
    # A block of text at the very end has no last line end, and would get one from a key after it: that is refused.
    end = "\n" if lines[-1].endswith("more") else draw(st.sampled_from(["", "\n"]))
    return "\n".join(lines) + end, keys


@given(documents(), VALUES, st.data())
def test_whatever_is_set_is_read_again_and_comments_stay(
    document: tuple[str, list[str]], value: Any, data: st.DataObject
) -> None:
    text, keys = document
    key = data.draw(st.sampled_from([*keys, "new_key_"]))
    before = parse_documents(text)[0].data()
    after = set_yaml(text, {key: value})
    assert parse_documents(after)[0].data() == {**before, key: value}
    assert [line for line in after.split("\n") if line.startswith("# ")] == [
        line for line in text.split("\n") if line.startswith("# ")
    ]
    assert set_yaml(after, {key: value}) == after


@given(documents(), st.data())
def test_setting_a_value_back_gives_the_same_bytes(document: tuple[str, list[str]], data: st.DataObject) -> None:
    text, keys = document
    key = data.draw(st.sampled_from(keys))
    was = parse_documents(text)[0].data()[key]
    if isinstance(was, str) and "\n" not in was:
        again = set_yaml(set_yaml(text, {key: f"{was} other"}), {key: was})
        assert again == text
