"""The published schema accepts what the parser accepts, and refuses what it can see to be wrong."""

from __future__ import annotations

from typing import Any

import jsonschema
import pytest

from shared.domain.spec import parse_spec, spec_json_schema
from shared.domain.yaml_tree import parse_documents


def accepts(document: str) -> bool:
    """Whether an editor would underline nothing."""
    return jsonschema.Draft202012Validator(spec_json_schema()).is_valid(parse_documents(document)[0].data())


def test_the_schema_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(spec_json_schema())


def test_the_schema_accepts_a_spec_with_every_field(complete: str) -> None:
    parse_spec(complete)
    assert accepts(complete)


@pytest.mark.parametrize("published", ["true", "false", "draft", "[{'acme/*': draft}]"])
def test_the_schema_accepts_each_form_of_published(complete: str, published: str) -> None:
    document = complete.replace('[{"acme/*": draft}, {"acme/api": true}]', published)
    parse_spec(document)
    assert accepts(document)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("limit: 0", "limit: x"),
        ("name:", "nmae:"),
        ("{write:", "{wirte:"),
        ("draft}", "x}"),
        ("maxAttempts: 2", "n: 2"),
    ],
)
def test_the_schema_refuses_mistakes(complete: str, old: str, new: str) -> None:
    assert not accepts(complete.replace(old, new, 1))


def test_every_field_has_a_description() -> None:
    schema = spec_json_schema()
    without: list[str] = []

    def walk(name: str, part: Any) -> None:
        for key, field in part.get("properties", {}).items():
            forms = {"replace", "write", "delete", "rename", "yaml", "json", "toml"}
            if "description" not in field and key not in forms:
                without.append(f"{name}.{key}")

    walk("spec", schema)
    for name, part in schema["$defs"].items():
        walk(name, part)
    assert not without
