"""TOML edits keep comments, layout and everything that was not named."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest
import tomlkit
from hypothesis import given
from hypothesis import strategies as st

from workers.campaigns.steps.text import EditFailed
from workers.campaigns.steps.toml_edit import set_toml

PROJECT = """# c
[project]
name   = "x"  # n
deps = [
  "a>=1", # one
  "b",
]

[tool.x]
k = 1
[[pkg]]
n = 1
[[pkg]]
n = 2
"""


@pytest.mark.parametrize(
    ("path", "value", "old", "new"),
    [
        ("project.name", "y", 'name   = "x"  # n', 'name   = "y"  # n'),
        ("project.deps[1]", "b>2", '"b",', '"b>2",'),
        ("project.version", "1.0", ']\n\n[tool.x]', ']\nversion = "1.0"\n\n[tool.x]'),
        ("tool.x.k", 2, "k = 1", "k = 2"),
        ("pkg[?n==2].n", 3, "n = 2", "n = 3"),
        ("project.name", "x", "", ""),
    ],
)  # fmt: skip
def test_a_value_is_set_and_the_rest_stays(path: str, value: Any, old: str, new: str) -> None:
    assert set_toml(PROJECT, {path: value}) == PROJECT.replace(old, new, 1)


@pytest.mark.parametrize(
    ("text", "value"), [("a = \n", 1), ("a = 1\na = 2\n", 1), ("a = 1\n", None), ("a = 1\n", [None])]
)
def test_what_cannot_be_set_is_refused(text: str, value: Any) -> None:
    with pytest.raises(EditFailed):
        set_toml(text, {"b": value})


KEYS = st.text("abcd", min_size=1, max_size=4)
SCALARS = st.one_of(st.integers(-(2**40), 2**40), st.booleans(), st.text(st.characters(codec="utf-8"), max_size=15))


@given(st.dictionaries(KEYS, SCALARS, min_size=1, max_size=5), SCALARS, st.data())
def test_whatever_is_set_is_read_again_and_comments_stay(
    table: dict[str, Any], value: Any, data: st.DataObject
) -> None:
    text = "# top\n[t] # head\n" + tomlkit.dumps(table) + "# end\n"
    key = data.draw(st.sampled_from([*table, "new"]))
    after = set_toml(text, {f"t.{key}": value})
    assert tomllib.loads(after) == {"t": {**table, key: value}}
    assert after.startswith("# top\n[t] # head\n")
    assert "# end\n" in after
