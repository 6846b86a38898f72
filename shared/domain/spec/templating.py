"""Which names templates may use where; checked with the spec, so that an unknown variable has a line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast

from jinja2 import nodes

from ..expressions import FUNCTIONS, InvalidTemplate, nearest, parse
from .model import CampaignSpec
from .steps import RunStep, Step

ANYTHING: Any = object()
"""A value of which nothing is known before the steps have run."""

TEXT: Any = None
"""Text or a number: nothing stands below it."""

Scope = Mapping[str, Any]

_EVERYWHERE: Scope = {
    "repository": {"name": TEXT, "owner": TEXT, "branch": TEXT},
    "campaign": {"name": TEXT, "description": TEXT, "link": TEXT},
}

_ON_PULL_REQUESTS: Scope = {**_EVERYWHERE, "pull_request": {"number": TEXT, "url": TEXT}, "checks": {"failed": TEXT}}


@dataclass(frozen=True)
class TemplateField:
    """A template of the spec: where it stands in the document, its text, and the names that it may use."""

    path: tuple[str | int, ...]
    text: str
    scope: Scope


def template_fields(spec: CampaignSpec) -> Iterator[TemplateField]:
    """Every template of the spec."""
    before: list[Step] = []
    for index, step in enumerate(spec.steps):
        yield from _step_fields(("steps", index), step, {**_scope_after(before), "workspace": {"path": TEXT}})
        before.append(step)
    changeset = spec.changeset_template
    at, scope = "changesetTemplate", _scope_after(before)
    yield TemplateField((at, "title"), changeset.title, scope)
    yield TemplateField((at, "body"), changeset.body, scope)
    yield TemplateField((at, "commit", "message"), changeset.commit.message, scope)
    yield TemplateField((at, "branch"), changeset.branch, _EVERYWHERE)
    for index, group in enumerate(spec.transform_changes.group if spec.transform_changes else ()):
        for name, text in (("title", group.title), ("body", group.body)):
            if text:
                yield TemplateField(("transformChanges", "group", index, name), text, scope)
    for name, hook in (("onCIFailure", spec.hooks.on_ci_failure), ("onMergeConflict", spec.hooks.on_merge_conflict)):
        if hook and hook.comment:
            yield TemplateField(("hooks", name, "comment"), hook.comment, _ON_PULL_REQUESTS)


def _scope_after(steps: list[Step]) -> Scope:
    names = [list(step.outputs) if isinstance(step, RunStep) else [] for step in steps]
    return {
        **_EVERYWHERE,
        "outputs": {name: ANYTHING for step_names in names for name in step_names},
        "steps": [
            {"stdout": TEXT, "stderr": TEXT, "outputs": dict.fromkeys(step_names, ANYTHING)} for step_names in names
        ],
    }


def _step_fields(path: tuple[str | int, ...], step: Step, scope: Scope) -> Iterator[TemplateField]:
    if isinstance(step.condition, str):
        yield TemplateField((*path, "if"), step.condition, scope)
    if not isinstance(step, RunStep):
        return
    for name, text in step.templates_of_env.items():
        yield TemplateField((*path, "env", name), text, scope)
    inside = {**scope, "env": dict.fromkeys(step.templates_of_env, TEXT)}
    yield TemplateField((*path, "run"), step.run, inside)
    for name, text in step.files.items():
        yield TemplateField((*path, "files", name), text, inside)
    after = {**inside, "step": {"stdout": TEXT, "stderr": TEXT}}
    for name, output in step.outputs.items():
        yield TemplateField((*path, "outputs", name, "value"), output.value, after)


def check_template(template: str, scope: Scope) -> None:
    """Raises `InvalidTemplate` for what is no expression, or for a name that `scope` does not have."""
    if "${{" in template:
        _check_names(parse(template), scope)


def _check_names(node: nodes.Node, scope: Scope) -> None:
    if isinstance(node, nodes.Filter) and node.name == "default":
        return  # it says itself what to do where the name is not there
    if isinstance(node, nodes.Name) and node.name in FUNCTIONS:
        return
    if isinstance(node, nodes.Name | nodes.Getattr | nodes.Getitem):
        _resolve(node, scope)
        return
    for child in node.iter_child_nodes():
        _check_names(child, scope)


def _resolve(node: nodes.Expr, scope: Scope) -> tuple[Any, str]:
    """What a dotted name stands for, and the name as written."""
    if isinstance(node, nodes.Name):
        return _below(scope, "", node.name, node.lineno), node.name
    if isinstance(node, nodes.Getattr):
        value, name = _resolve(node.node, scope)
        return _below(value, name, node.attr, node.lineno), f"{name}.{node.attr}"
    if isinstance(node, nodes.Getitem):
        value, name = _resolve(node.node, scope)
        if not isinstance(node.arg, nodes.Const):
            _check_names(node.arg, scope)
            return ANYTHING, f"{name}[…]"
        return _below(value, name, node.arg.value, node.lineno), f"{name}[{node.arg.value!r}]"
    _check_names(node, scope)
    return ANYTHING, "the expression"


def _below(value: Any, name: str, key: Any, line: int) -> Any:
    if value is ANYTHING:
        return ANYTHING
    if isinstance(value, list):
        steps = cast("list[Any]", value)
        if isinstance(key, int) and -len(steps) <= key < len(steps):
            return steps[key]
        known = f"it has {len(steps)} steps before this place, counted from 0"
        raise InvalidTemplate(f"{name} has no element {key}", line, known)
    known = list(cast("Mapping[str, Any]", value)) if isinstance(value, Mapping) else []
    if key in known:
        return cast("Mapping[str, Any]", value)[key]
    what = f"there is no variable {key}" if not name else f"{name} has no {key}"
    raise InvalidTemplate(f"{what} here", line, nearest(str(key), known))
