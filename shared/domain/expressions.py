"""Expressions of templates: a small part of Jinja's, on plain data, within bounds.

There are names, `a.b`, `a[0]`, text and numbers, comparisons, `and or not`, `a if b else c`, a few filters, and
`matches(value, glob)`. Nothing loops, multiplies or calls methods, and every result is bounded, so that no expression
can hang or fill a worker. `${{ "${{" }}` gives the characters themselves.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Callable, Iterable, Mapping
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

ROOTS = ("repository", "campaign", "pull_request", "checks", "workspace", "steps", "step", "outputs", "env")
"""The names that expressions begin with; which of them stand where, the spec's checks know."""


class InvalidTemplate(ValueError):
    """A template that cannot be rendered. `line` counts from 1 within the template."""

    def __init__(self, message: str, line: int = 1, hint: str = "") -> None:
        super().__init__(message)
        self.message, self.line, self.hint = message, line, hint


def fill_in(template: str, names: Mapping[str, Any]) -> str:
    """The text with every expression replaced by its value; raises `InvalidTemplate`."""
    parts: list[str] = []
    length = 0
    try:
        for part in _ENVIRONMENT.from_string(_parsed(template)).generate(names):
            length += len(part)
            if length > MAX_OUTPUT_LENGTH:
                raise InvalidTemplate(f"the result is longer than {MAX_OUTPUT_LENGTH} characters")
            parts.append(part)
    except (TemplateError, ArithmeticError, TypeError, ValueError, LookupError) as error:
        if isinstance(error, InvalidTemplate):
            raise
        raise InvalidTemplate(_explain(error)) from None
    return "".join(parts)


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
    nodes.Name,
    nodes.Filter,
    nodes.List,
)


def _check_allowed(node: nodes.Node) -> None:
    line = getattr(node, "lineno", 1) or 1
    match node:
        case nodes.Call():
            _check_call(node, line)
        case nodes.Filter() if node.name not in FILTERS:
            raise InvalidTemplate(f"there is no filter {node.name}; there are {', '.join(FILTERS)}", line)
        case nodes.Name() if node.name not in ROOTS and node.name not in FUNCTIONS:
            raise InvalidTemplate(f"there is no variable {node.name}", line, nearest(node.name, ROOTS))
        case nodes.List() if not all(isinstance(item, nodes.Const) for item in node.items):
            raise InvalidTemplate("a list may hold text and numbers only", line)
        case _ if not isinstance(node, _ALLOWED):
            raise InvalidTemplate(f"{type(node).__name__.lower()} is not supported in templates", line)
        case _:
            pass


def _check_call(call: nodes.Call, line: int) -> None:
    if not (isinstance(call.node, nodes.Name) and call.node.name in FUNCTIONS):
        raise InvalidTemplate(f"the only functions are {', '.join(FUNCTIONS)}", line)
    if call.dyn_args or call.dyn_kwargs:
        raise InvalidTemplate("* and ** are not supported", line)


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


def _lower(value: Any) -> str:
    return str(value).lower()


def _upper(value: Any) -> str:
    return str(value).upper()


def _trim(value: Any) -> str:
    return str(value).strip()


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
    "lower": _lower,
    "upper": _upper,
    "trim": _trim,
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
        return self.undefined(obj=obj, name=str(argument))


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
        autoescape=False,  # text for git and shells, not HTML
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
