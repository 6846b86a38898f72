"""From a document to a spec, or to every problem that it has, each with its line and what to do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from ...errors import InvalidSpec, Problem
from ..expressions import InvalidTemplate, nearest
from ..yaml_tree import InvalidYaml, Node, parse_documents
from .fields import branch_problem
from .keys import known_keys
from .model import CampaignSpec
from .templating import TemplateField, check_template, template_fields
from .unsupported import Path, take_unsupported

MAX_DOCUMENT_CHARACTERS = 512 * 1024


def parse_spec(document: str) -> CampaignSpec:
    """The spec that the document holds; raises `InvalidSpec` with every problem found."""
    root = _root(document)
    data = root.data()
    problems = [_unsupported(path, root) for path in take_unsupported(data)]
    try:
        spec = CampaignSpec.model_validate(data)
    except ValidationError as error:
        problems += [_problem(detail, root, data) for detail in error.errors(include_url=False)]
        raise InvalidSpec(_sorted(_without_followers(problems))) from None
    for field in template_fields(spec):
        problems += _template_problems(field, root)
    if problems:
        raise InvalidSpec(_sorted(problems))
    return spec


def _root(document: str) -> Node:
    if len(document) > MAX_DOCUMENT_CHARACTERS:
        raise InvalidSpec([Problem(f"the document has more than {MAX_DOCUMENT_CHARACTERS // 1024} KiB")])
    try:
        documents = parse_documents(document)
    except InvalidYaml as error:
        raise InvalidSpec([Problem(error.message, line=error.line, column=error.column)]) from None
    if len(documents) != 1 or documents[0].kind != "mapping":
        line = documents[1].line if len(documents) > 1 else 1
        message = "a spec is one YAML document, a mapping that begins with version: 1"
        raise InvalidSpec([Problem(message, line=line, column=1)])
    return documents[0]


def _sorted(problems: list[Problem]) -> list[Problem]:
    return sorted(problems, key=lambda problem: (problem.line or 0, problem.column or 0))


def _without_followers(problems: list[Problem]) -> list[Problem]:
    """Without what is only a consequence: an `on` entry that held nothing but a field that is not supported."""
    refused = {problem.path.rpartition(".")[0] for problem in problems if "not supported" in problem.message}
    return [problem for problem in problems if not (problem.path in refused and "must have" in problem.message)]


# -- Where -------------------------------------------------------------------------------------------------


def _node(path: Path, root: Node, *, key: bool) -> Node:
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


def _at(path: Path, root: Node, message: str, hint: str = "", *, key: bool = False) -> Problem:
    node = _node(path, root, key=key)
    return Problem(message, path=".".join(map(str, path)), line=node.line, column=node.column, hint=hint)


# -- What --------------------------------------------------------------------------------------------------


def _unsupported(path: Path, root: Node) -> Problem:
    message = f"{path[-1]} is not supported by this version of Octobatch"
    hint = "only onError: continue is" if path == ("onError",) else "take it out"
    return _at(path, root, message, hint, key=True)


def _problem(detail: ErrorDetails, root: Node, data: Any) -> Problem:
    path = _document_path(detail["loc"], data)
    context = detail.get("ctx") or {}
    kind = detail["type"]
    if kind == "extra_forbidden":
        known = known_keys(path[:-1], data)
        if path[-1] in known:
            return _at(path, root, f"{path[-1]} cannot stand here: its neighbours belong to another form", key=True)
        return _at(path, root, f"unknown key {path[-1]}", nearest(str(path[-1]), known), key=True)
    if kind == "missing":
        return _at(path, root, f"the key {path[-1]} is missing")
    if kind == "spec_field":
        return _at((*path, context["key"]), root, context["message"])
    if path and path[-1] == "[key]":
        return _at(path[:-1], root, f"the key {_wording(kind, detail, context)}", key=True)
    return _at(path, root, _wording(kind, detail, context))


_WORDS: dict[str, Callable[[dict[str, Any]], str]] = {
    "string_type": lambda _: "must be text; put it in quotes",
    "int_type": lambda _: "must be a whole number",
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
    "greater_than_equal": lambda context: f"must be at least {context['ge']}",
    "less_than_equal": lambda context: f"must be at most {context['le']}",
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


# -- Templates ---------------------------------------------------------------------------------------------


def _template_problems(field: TemplateField, root: Node) -> list[Problem]:
    try:
        check_template(field.text, field.scope)
    except InvalidTemplate as error:
        node = _node(field.path, root, key=False)
        begins_below = node.target.style in ("|", ">")  # a block's text begins on the next line
        line = node.line + error.line - 1 + begins_below if node.target.style == "|" or error.line == 1 else node.line
        path = ".".join(map(str, field.path))
        return [Problem(error.message, path=path, line=line, column=node.column, hint=error.hint)]
    if field.path[-1] == "branch" and "${{" not in field.text and (message := branch_problem(field.text)):
        return [_at(field.path, root, message)]
    return []
