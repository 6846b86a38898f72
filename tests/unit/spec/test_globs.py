"""Globs find what their users mean by them, in linear time."""

from __future__ import annotations

import time
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.globs import InvalidGlob, check_glob, literal_folder, matches_name, matches_path


@pytest.mark.parametrize(
    ("pattern", "yes", "no"),
    [
        ("go.mod", ["go.mod"], ["go_mod", "a/go.mod"]),
        ("*.yml", ["a.yml", ".yml"], ["a/b.yml", "a.yaml"]),
        ("**/*.py", ["a.py", "x/y/a.py"], ["a.pyc"]),
        ("src/**", ["src/a", "src/a/b"], ["src", "xsrc/a"]),
        ("a/**/b", ["a/b", "a/x/y/b"], ["ab", "a/xb"]),
        (".github/workflows/*.{yml,yaml}", [".github/workflows/a.yaml"], [".github/workflows/a/b.yml"]),
        ("[a-c]?.t", ["b1.t"], ["d1.t", "b/.t"]),
        ("[!a].t", ["b.t"], ["a.t"]),
        (r"app/\[id\]/p.tsx", ["app/[id]/p.tsx"], ["app/i/p.tsx"]),
        ("ü*", ["übung"], ["u"]),
        ("a.b+c(d)", ["a.b+c(d)"], ["aXb+c(d)"]),
    ],
)
def test_paths_match(pattern: str, yes: list[str], no: list[str]) -> None:
    assert all(matches_path(path, pattern) for path in yes)
    assert not any(matches_path(path, pattern) for path in no)


def test_in_names_a_star_matches_a_slash() -> None:
    assert matches_name("acme/api", "*")
    assert matches_name("acme/api", "acme/*")
    assert not matches_name("acme2/api", "acme/*")


@pytest.mark.parametrize("pattern", ["[", "{a", "a\\", "x" * 2000])
def test_what_is_no_glob_is_refused(pattern: str) -> None:
    with pytest.raises(InvalidGlob):
        check_glob(pattern)


def test_no_glob_takes_long() -> None:
    started = time.monotonic()
    assert not matches_path("a" * 5000, "*a" * 60 + "b")
    assert time.monotonic() - started < 1


def test_the_folder_before_the_first_wildcard_is_known() -> None:
    assert [literal_folder(p) for p in ("a/b/*.c", "**/x", "a", "a/b", "a/{b,c}/d")] == ["a/b", "", "", "a", "a"]


@given(st.text("abc/.+()|^$[]{}*?\\-!", min_size=1, max_size=20))
def test_any_glob_is_understood_or_refused(pattern: str) -> None:
    with suppress(InvalidGlob):
        assert matches_path("a/b.c", pattern) in (True, False)
