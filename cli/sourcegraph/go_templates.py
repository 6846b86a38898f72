"""Go's `text/template` as batch specs use it: text with actions between `${{` and `}}`, read into a tree.

Source: pkg.go.dev/text/template. Names stand without the leading dot there: `repository.name`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import cast

OPEN, CLOSE = "${{", "}}"


class NotUnderstood(ValueError):
    """A template, or a part of one, that cannot be read; says why."""


# -- Expressions -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Literal:
    """Text, a number, true, false or nil."""

    value: str | float | bool | None


@dataclass(frozen=True)
class Name:
    """A name and what is taken from below it: `repository.name`; variables begin with `$`."""

    parts: tuple[str, ...]


@dataclass(frozen=True)
class Call:
    """A function with its arguments; `.` takes fields from below its first argument."""

    function: str
    arguments: tuple[Expression, ...]


Expression = Literal | Name | Call

# -- Blocks ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Text:
    """Text as it is."""

    text: str


@dataclass(frozen=True)
class Action:
    """An expression whose value is written; with a `variable` it is kept instead."""

    expression: Expression
    variable: str = ""


@dataclass(frozen=True)
class If:
    """`if … else … end`"""

    condition: Expression
    then: Sequence[Block]
    otherwise: Sequence[Block]


@dataclass(frozen=True)
class Range:
    """`range … end`; `variable` is that of the element, empty where it is the dot."""

    variable: str
    values: Expression
    body: Sequence[Block]


Block = Text | Action | If | Range

FUNCTIONS = frozenset(
    {"and", "or", "not", "eq", "ne", "lt", "le", "gt", "ge", "len", "index", "print", "printf", "println", "slice"}
    | {"join", "join_if", "replace", "split", "matches", "html", "js", "urlquery", "call"}
)

_TOKEN = re.compile(
    r"""\s*(?:(?P<text>"(?:\\.|[^"\\])*")|(?P<raw>`[^`]*`)|(?P<number>-?\d+(?:\.\d+)?)
    |(?P<name>[$A-Za-z_][\w]*(?:\.\w+)*|\$|\.\w+(?:\.\w+)*|\.)|(?P<sign>:=|[|(),=]))""",
    re.VERBOSE,
)
_ACTION = re.compile(r"""(?:"(?:\\.|[^"\\])*"|`[^`]*`|/\*.*?\*/|(?!\}\}).)*""", re.DOTALL)


def read_template(template: str) -> list[Block]:
    """The blocks of a template; raises `NotUnderstood`."""
    pieces = list(_pieces(template))
    blocks, ended_by = _blocks(iter(pieces))
    if ended_by:
        raise NotUnderstood(f"there is an {ended_by} without its beginning")
    return blocks


def _pieces(template: str) -> Iterator[tuple[str, bool]]:
    """Text and what is between the delimiters, in turn; `True` for the latter."""
    position, trims = 0, False
    while (start := template.find(OPEN, position)) >= 0:
        match = _ACTION.match(template, start + len(OPEN))
        end = match.end() if match else len(template)
        if not template.startswith(CLOSE, end):
            raise NotUnderstood("a ${{ is not closed")
        text, action = template[position:start], template[start + len(OPEN) : end]
        text = text.lstrip() if trims else text
        if action[:2] in ("- ", "-\n"):
            text, action = text.rstrip(), action[1:]
        trims = action[-2:] in (" -", "\n-")
        yield text, False
        yield (action[:-1] if trims else action).strip(), True
        position = end + len(CLOSE)
    rest = template[position:]
    yield rest.lstrip() if trims else rest, False


def _blocks(pieces: Iterator[tuple[str, bool]]) -> tuple[list[Block], str]:
    """The blocks up to the `else` or `end` that ends them, and that; the pieces go on behind it."""
    found: list[Block] = []
    for text, is_action in pieces:
        word, _, rest = text.partition(" ")
        if not is_action:
            found += [Text(text)] if text else []
        elif text.startswith("/*"):
            continue
        elif word == "if":
            found.append(_if(rest, pieces))
        elif word == "range":
            found.append(_range(rest, pieces))
        elif word in ("else", "end"):
            return found, text
        elif word in ("with", "define", "template", "block", "break", "continue"):
            raise NotUnderstood(f"{word} is not supported")
        else:
            found.append(_action(text))
    return found, ""


def _if(condition: str, pieces: Iterator[tuple[str, bool]]) -> If:
    then, ended_by = _blocks(pieces)
    if ended_by.startswith("else if "):
        return If(read_expression(condition), then, [_if(ended_by.removeprefix("else if "), pieces)])
    otherwise: list[Block] = []
    if ended_by == "else":
        otherwise, ended_by = _blocks(pieces)
    if ended_by != "end":
        raise NotUnderstood("an if has no end")
    return If(read_expression(condition), then, otherwise)


def _range(header: str, pieces: Iterator[tuple[str, bool]]) -> Range:
    body, ended_by = _blocks(pieces)
    if ended_by != "end":
        raise NotUnderstood("a range with else, or without end, is not supported")
    names, assigned, values = header.rpartition(":=")
    variable = names.split(",")[-1].strip() if assigned else ""
    return Range(variable, read_expression(values), body)


def _action(text: str) -> Action:
    name, assigned, value = text.partition(":=")
    if assigned and re.fullmatch(r"\$\w+", name.strip()):
        return Action(read_expression(value), variable=name.strip())
    return Action(read_expression(text))


def read_expression(text: str) -> Expression:
    """An expression; raises `NotUnderstood`."""
    tokens: list[tuple[str, str]] = []
    position, text = 0, text.strip()
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            raise NotUnderstood(f"{text!r} is no expression")
        tokens.append((str(match.lastgroup), match.group(str(match.lastgroup))))
        position = match.end()
    reader = _Reader(tokens)
    expression = reader.pipeline()
    if reader.tokens:
        raise NotUnderstood(f"{text!r} is no expression")
    return expression


class _Reader:
    """Reads tokens from the front."""

    def __init__(self, tokens: list[tuple[str, str]]) -> None:
        self.tokens = tokens

    def pipeline(self) -> Expression:
        value = self._command(())
        while self._take("|"):
            value = self._command((value,))
        return value

    def _command(self, piped: tuple[Expression, ...]) -> Expression:
        operands: list[Expression] = []
        while self.tokens and self.tokens[0] not in (("sign", "|"), ("sign", ")")):
            operands.append(self._operand())
        match operands:
            case [Name(parts=(function,)), *arguments] if function in FUNCTIONS:
                return Call(function, (*arguments, *piped))
            case [value] if not piped:
                return value
            case _:
                raise NotUnderstood("an action is neither a value nor one of the known functions")

    def _operand(self) -> Expression:
        kind, text = self.tokens.pop(0)
        if (kind, text) == ("sign", "("):
            value = self.pipeline()
            if not self._take(")"):
                raise NotUnderstood("a ( is not closed")
            if self.tokens and self.tokens[0][0] == "name" and self.tokens[0][1].startswith("."):
                fields = self.tokens.pop(0)[1][1:].split(".")
                return Call(".", (value, *map(Literal, fields)))
            return value
        if kind == "name":
            words = {"true": True, "false": False, "nil": None}
            return Literal(words[text]) if text in words else Name((".",) if text == "." else tuple(text.split(".")))
        if kind == "sign":
            raise NotUnderstood(f"{text} stands where a value should")
        return Literal(_value(kind, text))

    def _take(self, sign: str) -> bool:
        if self.tokens[:1] == [("sign", sign)]:
            self.tokens.pop(0)
            return True
        return False


def _value(kind: str, text: str) -> str | float:
    if kind == "raw":
        return text[1:-1]
    if kind == "number":
        return float(text) if "." in text else int(text)
    try:
        return cast("str", json.loads(text, strict=False))
    except ValueError:
        raise NotUnderstood(f"{text} has an escape that is not supported") from None
