"""JSON edits keep indentation, the order of keys, comments and the last line end."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.campaigns.steps.json_edit import parse_json, set_json
from workers.campaigns.steps.text import EditFailed

PACKAGE = """{
    "name": "x", // comment
    "deps": {"a": 1,   "b": [1, 2]},
    "scripts": {
        "t": "u",
    }
}
"""


@pytest.mark.parametrize(
    ("path", "value", "old", "new"),
    [
        ("name", "ü", '"name": "x", //', '"name": "ü", //'),
        ("deps.a", "^2", '{"a": 1,   "b"', '{"a": "^2",   "b"'),
        ("deps.b[1]", 7, "[1, 2]", "[1, 7]"),
        ("deps.c", {"k": 1}, "2]}", '2], "c": {"k": 1}}'),
        ("scripts.z", [1], '"t": "u",', '"t": "u",\n        "z": [\n            1\n        ],'),
        ("new.k", True, "    }\n}", '    },\n    "new": {\n        "k": true\n    }\n}'),
        ("name", "x", "", ""),
        ("deps.b[9]", 1, "", ""),
    ],
)
def test_a_value_is_set_and_the_rest_stays(path: str, value: Any, old: str, new: str) -> None:
    assert set_json(PACKAGE, {path: value}) == PACKAGE.replace(old, new, 1)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{}", '{\n  "a": {\n    "b": 1\n  }\n}'),
        ('{"x":{}}', '{"x":{}, "a": {"b": 1}}'),
        ('{\n\t"x": 1\n}\n', '{\n\t"x": 1,\n\t"a": {\n\t\t"b": 1\n\t}\n}\n'),
        ('{"a": null}', '{"a": {"b": 1}}'),
    ],
)
def test_a_new_key_takes_the_layout_of_its_file(text: str, expected: str) -> None:
    assert set_json(text, {"a.b": 1}) == expected


@pytest.mark.parametrize(
    "text", ["", "{", "[1,2", '{"a" 1}', "{'a': 1}", '{"a": 01}', "{} {}", '{"a": "\n"}', "[" * 99]
)
def test_what_is_no_json_is_refused(text: str) -> None:
    with pytest.raises(EditFailed, match=r"not JSON|not editable"):
        set_json(text, {"a": 1})


VALUES = st.recursive(
    st.one_of(st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.booleans(), st.none(), st.text()),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=10,
)


@given(st.dictionaries(st.text("abc", min_size=1), VALUES, max_size=5), VALUES, st.sampled_from([None, 2, 4, "\t"]))
def test_whatever_is_set_is_read_again_in_the_same_layout(data: dict[str, Any], value: Any, indent: Any) -> None:
    text = json.dumps(data, indent=indent, ensure_ascii=False)
    assert parse_json(text) == data
    after = set_json(text, {"new": value})
    assert json.loads(after) == {**data, "new": value}
    if data and indent:
        assert after == json.dumps({**data, "new": value}, indent=indent, ensure_ascii=False)
    assert set_json(after, {"new": value}) == after
