"""Where GitHub's published OpenAPI description is wrong or says too little, and what it must mean.

Each is a fact that its own text or the rest of it shows; nothing here is for the sandbox's convenience.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Json = dict[str, Any]

_NAMES: Json = {"type": "array", "items": {"type": "string"}}
CORRECTIONS: Mapping[tuple[str, ...], Json] = {
    # its own copy of an installation, whose account would have to be a user and an enterprise at once
    ("paths", "/app/installations", "get", "responses", "200", "content", "application/json", "schema", "items"): {
        "$ref": "#/components/schemas/installation"
    },
    # "You can also pass an `array` of labels directly", it says, and PyGithub does
    ("paths", "/repos/{owner}/{repo}/issues/{issue_number}/labels", "post", "requestBody", "content"): {
        "application/json": {"schema": {"anyOf": [_NAMES, {"type": "object", "properties": {"labels": _NAMES}}]}}
    },
    # the same label has null for no description everywhere else
    ("components", "schemas", "pull-request-simple", "properties", "labels", "items", "properties", "description"): {
        "type": "string",
        "nullable": True,
    },
    # what GitHub Enterprise Server adds, in whose layout the sandbox answers
    ("components", "schemas", "api-overview", "properties", "installed_version"): {"type": "string"},
}
"""By the keys that lead there from the description's root."""


def corrected(document: Json) -> Json:
    """The description with the corrections; a copy, as far as they reach."""
    copied = dict(document)
    for pointer, meant in CORRECTIONS.items():
        at = copied
        for key in pointer[:-1]:
            at[key] = dict(at[key])
            at = at[key]
        at[pointer[-1]] = meant
    return copied
