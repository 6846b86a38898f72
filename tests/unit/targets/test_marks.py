"""Marks: what Octobatch writes to know its own again, it reads back, whatever stands around it."""

from __future__ import annotations

import string

from hypothesis import given
from hypothesis import strategies as st

from shared.domain.ids import RunId, TargetId, new_id
from workers.campaigns.publication.marks import (
    CommitMark,
    PullRequestMark,
    read_mark,
    read_trailers,
    with_mark,
    with_trailers,
)

names = st.from_regex(r"[a-z0-9][a-z0-9-]{0,40}", fullmatch=True)
keys = st.text("0123456789abcdef", min_size=16, max_size=16)
texts = st.text(st.sampled_from(string.printable + "ü🙂<!->"), max_size=300)


@given(body=texts, campaign=names, key=keys)
def test_a_mark_is_read_back_from_any_body(body: str, campaign: str, key: str) -> None:
    mark = PullRequestMark(campaign=campaign, target_key=key, run_id=RunId(new_id()))
    assert read_mark(with_mark(body, mark)) == mark


@given(body=texts)
def test_a_mark_that_a_template_wrote_does_not_count(body: str) -> None:
    copied = PullRequestMark(campaign="other", target_key="0" * 16, run_id=RunId(new_id()))
    mark = PullRequestMark(campaign="mine", target_key="1" * 16, run_id=RunId(new_id()))
    assert read_mark(with_mark(with_mark(body, copied) + body, mark)) == mark


def test_a_body_without_a_mark_has_none() -> None:
    assert read_mark("Bump Go\n<!-- octobatch -->\n") is None


@given(message=texts.filter(lambda text: text.strip()), change=keys)
def test_trailers_are_read_back_from_any_message(message: str, change: str) -> None:
    mark = CommitMark(target_id=TargetId(new_id()), change=change)
    assert read_trailers(with_trailers(message, mark)) == mark


def test_trailers_join_those_that_the_message_has() -> None:
    mark = CommitMark(target_id=TargetId(new_id()), change="a" * 16)
    signed = with_trailers("Bump Go\n\nBecause.\n\nSigned-off-by: A <a@b.c>\n", mark)
    assert "Signed-off-by: A <a@b.c>\nOctobatch-Target: " in signed
    plain = with_trailers("Bump Go: now", mark)
    assert plain.startswith("Bump Go: now\n\nOctobatch-Target: ")
