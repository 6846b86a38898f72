"""Templates: text with `${{ expression }}` in it, as in Sourcegraph's batch specs and GitHub's workflows.

    render("Bump ${{ repository.name }}", context)          # "Bump acme/api"
    evaluate('${{ matches(repository.name, "acme/*") }}', context)   # True

Expressions are a small part of Jinja's: names, `a.b`, `a[0]`, text and numbers, comparisons, `and or not`, `a if b
else c`, a few filters, and `matches(value, glob)`. Nothing loops, multiplies or calls methods, and every result is
bounded, so that no expression can hang or fill a worker. Names that are not there are errors, found when the spec
is checked wherever that can be known. `${{ "${{" }}` gives the characters themselves.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, cast

from jinja2 import StrictUndefined, TemplateSyntaxError, UndefinedError, nodes
from jinja2.exceptions import SecurityError, TemplateError, TemplateRuntimeError
from jinja2.runtime import Undefined
from jinja2.sandbox import ImmutableSandboxedEnvironment

from .globs import InvalidGlob, matches_name

MAX_TEMPLATE_LENGTH = 256 * 1024
"""Longest template, in characters."""

MAX_OUTPUT_LENGTH = 4 * 1024 * 1024
"""Longest result, in characters."""

MAX_EXPRESSION_PARTS = 1000
"""Most names, values and operators in all expressions of a template."""

ROOTS = ("repository", "campaign", "steps", "step", "outputs", "env")
"""The names that expressions begin with; which of them stand where, the spec's checks know."""


class InvalidTemplate(ValueError):
    """A template that cannot be rendered. `line` counts from 1 within the template."""

    def __init__(self, message: str, line: int = 1, hint: str = "") -> None:
        super().__init__(message)
        self.message, self.line, self.hint = message, line, hint


@dataclass(frozen=True, kw_only=True)
class RepositoryContext:
    """The repository that steps run in, as templates see it. `name` is owner/name, `branch` the base branch."""

    name: str
    branch: str

    @property
    def owner(self) -> str:
        """The organisation or user that owns it."""
        return self.name.partition("/")[0]


@dataclass(frozen=True, kw_only=True)
class StepResult:
    """What a step left for templates: its text and its outputs."""

    stdout: str = ""
    stderr: str = ""
    outputs: Mapping[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True, kw_only=True)
class TemplateContext:
    """All that templates may speak of; `step` is there only for the outputs of a step."""

    repository: RepositoryContext
    campaign_name: str
    campaign_description: str = ""
    campaign_link: str = ""
    steps: Sequence[StepResult] = ()
    step: StepResult | None = None
    env: Mapping[str, str] = field(default_factory=dict[str, str])

    def names(self) -> dict[str, Any]:
        """The names of expressions, as plain data."""
        repository = self.repository
        outputs = {name: value for step in self.steps for name, value in step.outputs.items()}
        names: dict[str, Any] = {
            "repository": {"name": repository.name, "owner": repository.owner, "branch": repository.branch},
            "campaign": {
                "name": self.campaign_name,
                "description": self.campaign_description,
                "link": self.campaign_link,
            },
            "steps": [_plain_step(step) for step in self.steps],
            "outputs": outputs,
            "env": dict(self.env),
        }
        if self.step is not None:
            names["step"] = _plain_step(self.step)
        return names


def _plain_step(step: StepResult) -> dict[str, Any]:
    return {"stdout": step.stdout, "stderr": step.stderr, "outputs": dict(step.outputs)}


def render(template: str, context: TemplateContext) -> str:
    """The text with every expression replaced; raises `InvalidTemplate`."""
    if "${{" not in template:
        return template
    parts: list[str] = []
    length = 0
    try:
        for part in _ENVIRONMENT.from_string(_parsed(template)).generate(context.names()):
            length += len(part)
            if length > MAX_OUTPUT_LENGTH:
                raise InvalidTemplate(f"the result is longer than {MAX_OUTPUT_LENGTH} characters")
            parts.append(part)
    except (TemplateError, ArithmeticError, TypeError, ValueError, LookupError) as error:
        if isinstance(error, InvalidTemplate):
            raise
        raise InvalidTemplate(_explain(error)) from None
    return "".join(parts)


def evaluate(condition: str | bool, context: TemplateContext) -> bool:
    """Whether a condition holds: what renders as nothing, `false`, `0` or `null` does not."""
    if isinstance(condition, bool):
        return condition
    return render(condition, context).strip().lower() not in ("", "false", "0", "null", "none")


def parse(template: str) -> nodes.Template:
    """The syntax tree, of allowed parts only; raises `InvalidTemplate` with the line."""
    if len(template) > MAX_TEMPLATE_LENGTH:
        raise InvalidTemplate(f"a template may have at most {MAX_TEMPLATE_LENGTH} characters")
    try:
        tree = _ENVIRONMENT.parse(template)
    except (TemplateSyntaxError, RecursionError) as error:
        raise InvalidTemplate(f"not an expression: {error}", getattr(error, "lineno", 1) or 1) from None
    for count, node in enumerate(tree.find_all(nodes.Node)):
        _check_allowed(node)
        if count > MAX_EXPRESSION_PARTS:
            raise InvalidTemplate(f"expressions have more than {MAX_EXPRESSION_PARTS} parts", node.lineno)
    return tree


@lru_cache(maxsize=512)
def _parsed(template: str) -> nodes.Template:
    return parse(template)


_ALLOWED = (
    nodes.Template,
    nodes.Output,
    nodes.TemplateData,
    nodes.Const,
    nodes.Getattr,
    nodes.Getitem,
    nodes.Compare,
    nodes.Operand,
    nodes.And,
    nodes.Or,
    nodes.Not,
    nodes.CondExpr,
    nodes.Neg,
    nodes.Keyword,
)


def _check_allowed(node: nodes.Node) -> None:
    if isinstance(node, nodes.Call):
        if not (isinstance(node.node, nodes.Name) and node.node.name in FUNCTIONS):
            raise InvalidTemplate(f"the only functions are {', '.join(FUNCTIONS)}", node.lineno)
        if node.dyn_args or node.dyn_kwargs:
            raise InvalidTemplate("* and ** are not supported", node.lineno)
    elif isinstance(node, nodes.Filter):
        if node.name not in FILTERS:
            raise InvalidTemplate(f"there is no filter {node.name}; there are {', '.join(FILTERS)}", node.lineno)
    elif isinstance(node, nodes.Name):
        if node.name not in ROOTS and node.name not in FUNCTIONS:
            raise InvalidTemplate(f"there is no variable {node.name}", node.lineno, nearest(node.name, ROOTS))
    elif isinstance(node, nodes.List):
        if not all(isinstance(item, nodes.Const) for item in node.items):
            raise InvalidTemplate("a list may hold text and numbers only", node.lineno)
    elif not isinstance(node, _ALLOWED):
        name = type(node).__name__.lower()
        raise InvalidTemplate(f"{name} is not supported in templates", getattr(node, "lineno", 1) or 1)


def nearest(word: str, known: Iterable[str]) -> str:
    """A hint that names the known word that is most like `word`, or lists them all where none is."""
    words = list(known)
    close = difflib.get_close_matches(word, words, n=1, cutoff=0.6)
    if close:
        return f"did you mean {close[0]}?"
    return f"known: {', '.join(words)}" if words else ""


def _bounded(length: int) -> None:
    if length > MAX_OUTPUT_LENGTH:
        raise InvalidTemplate(f"a value is longer than {MAX_OUTPUT_LENGTH} characters")


def _matches(value: Any, glob: Any) -> bool:
    return matches_name(str(value), str(glob))


def _replace(value: Any, old: Any, new: Any) -> str:
    text, old, new = str(value), str(old), str(new)
    _bounded(len(text) + text.count(old) * len(new) if old else len(text))
    return text.replace(old, new) if old else text


def _join(values: Any, separator: Any = "") -> str:
    texts = [str(value) for value in values]
    _bounded(sum(map(len, texts)) + len(texts) * len(str(separator)))
    return str(separator).join(texts)


def _split(value: Any, separator: Any = None) -> list[str]:
    return str(value).split(str(separator) if separator else None, 10_000)


def _default(value: Any, other: Any = "") -> Any:
    return other if isinstance(value, Undefined) or value is None or value == "" else value


def _length(value: Any) -> int:
    return len(value)


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


FUNCTIONS: dict[str, Callable[..., Any]] = {"matches": _matches}
FILTERS: dict[str, Callable[..., Any]] = {
    "lower": lambda value: str(value).lower(),
    "upper": lambda value: str(value).upper(),
    "trim": lambda value: str(value).strip(),
    "replace": _replace,
    "join": _join,
    "split": _split,
    "default": _default,
    "length": _length,
    "json": _json,
}


class _Environment(ImmutableSandboxedEnvironment):
    """Jinja over plain data only: `a.b` is an entry of a mapping, never an attribute of a Python object."""

    def getattr(self, obj: Any, attribute: str) -> Any:
        return self.getitem(obj, attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        if isinstance(obj, Mapping) and argument in obj:
            return cast("Mapping[Any, Any]", obj)[argument]
        if isinstance(obj, list) and isinstance(argument, int) and -len(obj) <= argument < len(obj):  # pyright: ignore[reportUnknownArgumentType]
            return cast("list[Any]", obj)[argument]
        return self.undefined(obj=obj, name=argument)


def _finalize(value: Any) -> Any:
    """How values become text: as JSON says it where text alone would be Python's."""
    if isinstance(value, bool) or value is None or isinstance(value, dict | list):
        return _json(value)
    return value


def _environment() -> _Environment:
    unused = "\0"  # neither statements nor comments: their delimiters cannot stand in a spec
    environment = _Environment(
        variable_start_string="${{",
        variable_end_string="}}",
        block_start_string=f"{unused}{{%",
        block_end_string=f"%}}{unused}",
        comment_start_string=f"{unused}{{#",
        comment_end_string=f"#}}{unused}",
        undefined=StrictUndefined,
        finalize=_finalize,
        keep_trailing_newline=True,
        autoescape=False,  # noqa: S701  # text for git and shells, not HTML
        optimized=False,  # nothing is computed before the bounds are known to hold
        cache_size=0,
    )
    environment.globals.clear()
    environment.globals.update(FUNCTIONS)
    environment.filters.clear()
    environment.filters.update(FILTERS)
    environment.tests.clear()
    return environment


_ENVIRONMENT = _environment()


def _explain(error: Exception) -> str:
    if isinstance(error, UndefinedError):
        return str(error).replace("'dict object'", "it").replace("has no attribute", "has no")
    if isinstance(error, InvalidGlob | SecurityError | TemplateRuntimeError):
        return str(error)
    return f"the expression has no value: {error}"
