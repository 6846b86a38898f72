"""From the text of a document to its nodes, and from pydantic's errors to problems with lines and what to do."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, cast

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from ..errors import InvalidInput, Problem
from .document_keys import Path, known_keys
from .expressions import nearest
from .yaml_tree import InvalidYaml, Node, parse_documents

MAX_DOCUMENT_CHARACTERS = 512 * 1024


def read_mapping(document: str, *, what: str, error: Callable[[Sequence[Problem]], InvalidInput]) -> Node:
    """The mapping that the document holds; raises what `error` makes of a problem. `what` names it: `a spec`."""
    if len(document) > MAX_DOCUMENT_CHARACTERS:
        raise error([Problem(f"the document has more than {MAX_DOCUMENT_CHARACTERS // 1024} KiB")])
    try:
        documents = parse_documents(document)
    except InvalidYaml as wrong:
        raise error([Problem(wrong.message, line=wrong.line, column=wrong.column)]) from None
    if len(documents) != 1 or documents[0].kind != "mapping":
        line = documents[1].line if len(documents) > 1 else 1
        message = f"{what} is one YAML document, a mapping that begins with version: 1"
        raise error([Problem(message, line=line, column=1)])
    return documents[0]


def problems_of(error: ValidationError, root: Node, data: Any, schema: dict[str, Any]) -> list[Problem]:
    """What pydantic found wrong with `data`, which stands in the document at `root` and has this JSON Schema."""
    return [_problem(detail, root, data, schema) for detail in error.errors(include_url=False)]


def in_order(problems: Sequence[Problem]) -> list[Problem]:
    """As they stand in the document."""
    return sorted(problems, key=lambda problem: (problem.line or 0, problem.column or 0))


# -- Where -------------------------------------------------------------------------------------------------


def node_at(path: Path, root: Node, *, key: bool) -> Node:
    """The node at a path, or of its key, or the nearest one above it that exists."""
    node = root
    for position, part in enumerate(path):
        last = position == len(path) - 1
        below = node.key(part) if last and key else None
        below = below or node.child(part)
        if below is None:
            break
        node = below
    return node


def problem_at(path: Path, root: Node, message: str, hint: str = "", *, key: bool = False) -> Problem:
    """A problem with what stands at a path, or with its key."""
    node = node_at(path, root, key=key)
    return Problem(message, path=".".join(map(str, path)), line=node.line, column=node.column, hint=hint)


# -- What --------------------------------------------------------------------------------------------------


def _problem(detail: ErrorDetails, root: Node, data: Any, schema: dict[str, Any]) -> Problem:
    path = _document_path(detail["loc"], data)
    context = detail.get("ctx") or {}
    kind = detail["type"]
    if kind == "extra_forbidden":
        known = known_keys(path[:-1], data, schema)
        if path[-1] in known:
            return problem_at(
                path, root, f"{path[-1]} cannot stand here: its neighbours belong to another form", key=True
            )
        return problem_at(path, root, f"unknown key {path[-1]}", nearest(str(path[-1]), known), key=True)
    if kind == "missing":
        return problem_at(path, root, f"the key {path[-1]} is missing")
    if kind == "spec_field":
        return problem_at((*path, context["key"]), root, context["message"])
    if path and path[-1] == "[key]":
        return problem_at(path[:-1], root, f"the key {_wording(kind, detail, context)}", key=True)
    return problem_at(path, root, _wording(kind, detail, context))


_WORDS: dict[str, Callable[[dict[str, Any]], str]] = {
    "string_type": lambda _: "must be text; put it in quotes",
    "int_type": lambda _: "must be a whole number",
    "float_type": lambda _: "must be a number",
    "bool_type": lambda _: "must be true or false",
    "dict_type": lambda _: "must be a mapping",
    "model_type": lambda _: "must be a mapping",
    "model_attributes_type": lambda _: "must be a mapping",
    "tuple_type": lambda _: "must be a list",
    "literal_error": lambda context: f"must be {context['expected'].strip(chr(39))}",
    "enum": lambda context: f"must be {context['expected'].replace(chr(39), '')}",
    "string_too_short": lambda _: "must not be empty",
    "string_too_long": lambda context: f"must have at most {context['max_length']} characters",
    "too_short": lambda _: "must not be empty",
    "too_long": lambda context: f"must have at most {context['max_length']} entries",
    "greater_than_equal": lambda context: f"must be at least {context['ge']:g}",
    "greater_than": lambda context: f"must be more than {context['gt']:g}",
    "less_than_equal": lambda context: f"must be at most {context['le']:g}",
    "string_pattern_mismatch": lambda context: f"must match {context['pattern']}",
}


def _wording(kind: str, detail: ErrorDetails, context: dict[str, Any]) -> str:
    if kind == "spec" and "message" in context:
        return context["message"]
    words = _WORDS.get(kind)
    return words(context) if words else detail["msg"]


def _document_path(location: tuple[int | str, ...], data: Any) -> Path:
    """Where in the document an error is: pydantic's location without its marks for which form was taken."""
    path = tuple(part for part in location if not (isinstance(part, str) and part.startswith("<")))
    marks = {"str", "bool", "constrained-str", "function-after[validate(), constrained-str]"}
    while path and path[-1] in marks and not _exists(path, data):
        path = path[:-1]
    return path


def _exists(path: Path, data: Any) -> bool:
    for part in path:
        if isinstance(data, dict) and part in data:
            data = cast("dict[Any, Any]", data)[part]
        elif isinstance(data, list) and isinstance(part, int) and part < len(cast("list[Any]", data)):
            data = cast("list[Any]", data)[part]
        else:
            return False
    return True
