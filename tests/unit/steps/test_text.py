"""Replacements keep encodings and line ends, and what they do is what the pattern says."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.campaigns.steps.text import EditFailed, edited, is_binary, replace


@pytest.mark.parametrize(
    ("text", "pattern", "new", "expected"),
    [
        ("a\ngo 1.21\nb\n", r"^go 1\.2[0-2]$", "go 1.23", "a\ngo 1.23\nb\n"),
        ("go 1.21 x\n", r"^go 1\.2[0-2]$", "go 1.23", "go 1.21 x\n"),
        ("k = v\n", r"(\w) = (\w)", r"\2 = \1 \\ \0", "v = k \\ k = v\n"),
        ("A a", "(?i)a", "b", "b b"),
        ("a\nb", "(?s)a.b", "x", "x"),
        ("a\nb", "(?-m)^b", "x", "a\nb"),
        ("aaa", "", "-", "-a-a-a-"),
        ("ünï", "[^a-z]", "_", "_n_"),
        ("x", "(a)?x", r"[\1]", "[]"),
    ],
)
def test_what_the_pattern_finds_is_replaced(text: str, pattern: str, new: str, expected: str) -> None:
    assert replace(text, pattern, new) == expected


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"a = 1\r\nb = 1\r\n", b"a = 2\r\nb = 2\r\n"),
        (b"a = 1\r\nb = 1\n", b"a = 1\r\nb = 2\n"),
        (b"\xef\xbb\xbfa = 1\n", b"\xef\xbb\xbfa = 2\n"),
        (b"caf\xe9 = 1\n", b"caf\xe9 = 2\n"),
        ("ü = 1".encode(), "ü = 2".encode()),
    ],
)
def test_encoding_and_line_ends_stay(before: bytes, after: bytes) -> None:
    assert edited(before, lambda text: replace(text, "1$", "2")) == after


def test_text_that_the_files_encoding_lacks_is_refused() -> None:
    with pytest.raises(EditFailed, match="encoding"):
        edited(b"caf\xe9", lambda _: "€")


@given(st.binary())
def test_an_edit_that_changes_nothing_gives_the_same_bytes(content: bytes) -> None:
    assert edited(content, lambda text: text) == content


@given(st.text())
def test_replacing_what_is_there_no_more_changes_nothing(text: str) -> None:
    once = replace(text, "[a-m]+", "_")
    assert replace(once, "[a-m]+", "_") == once


@given(st.text(), st.text("ab\n", max_size=3))
def test_a_literal_replacement_is_pythons(text: str, old: str) -> None:
    if old:
        assert replace(text, old, "xy") == text.replace(old, "xy")


def test_no_pattern_takes_exponential_time() -> None:
    started = time.monotonic()
    replace("a" * 3000, "(a*)*(a|aa)+b", "x")
    assert time.monotonic() - started < 2


def test_a_replacement_that_grows_without_end_is_refused() -> None:
    with pytest.raises(EditFailed, match="longer than"):
        replace("a" * 20_000, "a", "x" * 10_000)


def test_binary_is_what_git_says() -> None:
    assert is_binary(b"\x89PNG\0")
    assert not is_binary("ü".encode())
