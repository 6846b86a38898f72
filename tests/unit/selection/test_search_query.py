"""A search that GitHub would answer with nothing is refused, with what to do."""

from __future__ import annotations

import pytest

from shared.domain.search_query import CODE_QUALIFIERS, REPOSITORY_QUALIFIERS, problem_of


@pytest.mark.parametrize(
    "query",
    [
        "org:acme language:go archived:false", "-topic:x NOT fork:true created:>2020-01-01", 'in:readme "a: b"',
        "https://example.com props.tier:gold", "a AND b OR c",
    ],
)  # fmt: skip
def test_a_good_search_has_no_problem(query: str) -> None:
    assert problem_of(query, REPOSITORY_QUALIFIERS) is None


@pytest.mark.parametrize(
    ("query", "says"),
    [
        (
            "org:acme langauge:go",
            "has the qualifier langauge:, which GitHub's search does not know; did you mean language:?",
        ),
        ("zzz:go", 'put it in quotes if it is text: "zzz:go"'),
        ("org:", "has org: without a value"),
        ('org:acme "x', "without its partner"),
        ("a " * 129, "has 258 characters"),
        ("a OR b OR c OR d OR e OR f OR g", "has 6 operators"),
    ],
)
def test_a_bad_one_says_what_to_do(query: str, says: str) -> None:
    assert says in (problem_of(query, REPOSITORY_QUALIFIERS) or "")


def test_code_has_other_qualifiers() -> None:
    assert problem_of("filename:go.mod org:acme", CODE_QUALIFIERS) is None
    assert problem_of("stars:>1", CODE_QUALIFIERS)
