"""From a document to trust policies, or to every problem that it has, each with its line and what to do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydantic import ValidationError

from ...errors import InvalidPolicies, Problem
from ..documents import in_order, problem_at, problems_of, read_mapping
from ..yaml_tree import Node
from .model import PolicyDocument, TrustPolicy


def parse_policies(document: str) -> tuple[TrustPolicy, ...]:
    """The policies that the document (YAML) holds, in its order; raises `InvalidPolicies` with every problem found."""
    root = read_mapping(document, what="a document of policies", error=InvalidPolicies)
    data = root.data()
    try:
        policies = PolicyDocument.model_validate(data).policies
    except ValidationError as error:
        raise InvalidPolicies(in_order(problems_of(error, root, data, policies_json_schema()))) from None
    if problems := _repeated_names(policies, root):
        raise InvalidPolicies(problems)
    return policies


def policies_json_schema() -> dict[str, Any]:
    """JSON Schema (draft 2020-12) of a document of policies, for editors; accepts every valid document."""
    schema = PolicyDocument.model_json_schema(by_alias=True)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Octobatch trust policies, version 1",
        **{key: value for key, value in schema.items() if key != "title"},
    }


def _repeated_names(policies: Sequence[TrustPolicy], root: Node) -> list[Problem]:
    names = [policy.name for policy in policies]
    return [
        problem_at(("policies", index, "name"), root, f"there is a policy {name} before this one")
        for index, name in enumerate(names)
        if name in names[:index]
    ]
