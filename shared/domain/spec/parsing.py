"""From a document to a spec, or to every problem that it has, each with its line and what to do."""

from __future__ import annotations

from functools import lru_cache

from pydantic import ValidationError

from ...errors import InvalidSpec, Problem
from ..documents import in_order, node_at, problem_at, problems_of, read_mapping
from ..expressions import InvalidTemplate
from ..yaml_tree import Node
from .fields import branch_problem
from .model import CampaignSpec
from .schema import spec_json_schema
from .selecting import ExcludeEntry, NamesFileEntry, OnEntry
from .templating import TemplateField, check_template, template_fields


def parse_spec(document: str) -> CampaignSpec:
    """The spec that the document holds; raises `InvalidSpec` with every problem found."""
    root = read_mapping(document, what="a spec", error=InvalidSpec)
    data = root.data()
    try:
        spec = CampaignSpec.model_validate(data)
    except ValidationError as error:
        raise InvalidSpec(in_order(problems_of(error, root, data, spec_json_schema()))) from None
    problems = [_file_of_names(index, root) for index, entry in enumerate(spec.on) if _has_file(entry)]
    for field in template_fields(spec):
        problems += _template_problems(field, root)
    if problems:
        raise InvalidSpec(in_order(problems))
    return spec


@lru_cache(maxsize=64)
def parse_version(document: str) -> CampaignSpec:
    """The same of a stored version, which never changes and is asked for again and again: it is parsed once."""
    return parse_spec(document)


def _has_file(entry: OnEntry) -> bool:
    return isinstance(entry.exclude if isinstance(entry, ExcludeEntry) else entry, NamesFileEntry)


def _file_of_names(index: int, root: Node) -> Problem:
    message = "a file of names is beside the spec, where only the command line can read it"
    hint = "use octobatch, which puts the names in its place, or write them as repositories: [owner/name, …]"
    return problem_at(("on", index), root, message, hint)


def _template_problems(field: TemplateField, root: Node) -> list[Problem]:
    try:
        check_template(field.text, field.scope)
    except InvalidTemplate as error:
        node = node_at(field.path, root, key=False)
        begins_below = node.target.style in ("|", ">")  # a block's text begins on the next line
        line = node.line + error.line - 1 + begins_below if node.target.style == "|" or error.line == 1 else node.line
        path = ".".join(map(str, field.path))
        return [Problem(error.message, path=path, line=line, column=node.column, hint=error.hint)]
    if field.path[-1] == "branch" and "${{" not in field.text and (message := branch_problem(field.text)):
        return [problem_at(field.path, root, message)]
    return []
