"""Whatever the document, the answer is a spec or a list of problems, and each problem has a place."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from shared.domain.spec import parse_spec
from shared.domain.yaml_tree import parse_documents
from shared.errors import InvalidSpec, Problem

from .conftest import COMPLETE

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.just("${{ x }}"),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["edit", "run", "org", "path", "set", "draft"]), inner, max_size=3)
    ),
    max_leaves=5,
)


def places(data: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place in the data."""
    entries = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    return [path, *(place for key, value in entries for place in places(value, (*path, key)))]


def with_value(data: Any, path: tuple[Any, ...], value: Any) -> Any:
    """The data with a value somewhere else in it."""
    if not path:
        return value
    copy = dict(data) if isinstance(data, dict) else list(data)
    copy[path[0]] = with_value(data[path[0]], path[1:], value)
    return copy


def problems_of(document: str) -> tuple[Problem, ...] | None:
    """The problems of a document; None where it is a spec."""
    try:
        parse_spec(document)
    except InvalidSpec as error:
        return error.problems
    return None


SPEC = parse_documents(COMPLETE)[0].data()


@settings(max_examples=400)
@given(st.sampled_from(places(SPEC)), VALUES)
def test_a_value_of_another_kind_anywhere_is_a_problem_or_fine(path: tuple[Any, ...], value: Any) -> None:
    problems = problems_of(json.dumps(with_value(SPEC, path, value)))  # JSON is YAML
    assert problems is None or problems
    assert all(problem.message and problem.line for problem in problems or ())


@given(st.text(max_size=200))
def test_any_text_is_a_problem_or_a_spec(text: str) -> None:
    problems = problems_of(text)
    assert problems is None or problems
