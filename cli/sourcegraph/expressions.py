"""Expressions of batch specs in the words of campaign specs: `eq repository.name "x"` as `repository.name == "x"`."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from .go_templates import Call, Expression, Literal, Name, NotUnderstood

LISTS_OF_FILES = ("search_result_paths", "modified_files", "added_files", "deleted_files")
_OPERATORS = {"eq": "==", "ne": "!=", "lt": "<", "le": "<=", "gt": ">", "ge": ">="}
_HOST = "github.com/"


@dataclass(frozen=True)
class Carried:
    """An expression as campaign specs take it; `constant` where its value is known now."""

    text: str
    is_condition: bool = False
    is_simple: bool = True
    constant: Any = None

    @property
    def within(self) -> str:
        """As a part of another expression."""
        return self.text if self.is_simple else f"({self.text})"


@dataclass(frozen=True)
class Place:
    """Where a template stands: what names mean there, and what is said of them.

    `step` is the number of the step it belongs to, from 0, and None behind all of them; `path` is what `steps.path`
    stands for. In a script, `shell_list` gives what stands for a list of files, joined by a text. Where `in_pieces`,
    what has no counterpart is left out of the text by itself.
    """

    step: int | None = None
    has_outputs: bool = True
    in_pieces: bool = False
    path: str | None = None
    shell_list: Callable[[str, str], str] | None = None
    say: Callable[[str], None] = lambda _: None
    variables: dict[str, Expression] = field(default_factory=dict[str, Expression])


def constant(value: Any) -> Carried:
    """A value that is written out."""
    return Carried(json.dumps(value, ensure_ascii=False), isinstance(value, bool), constant=value)


def list_of_files(expression: Expression) -> str | None:
    """Which list of files a name stands for, or None."""
    match expression:
        case Name(parts=("repository" | "previous_step" | "steps" | "step", name)) if name in LISTS_OF_FILES:
            return name
        case _:
            return None


def carry(expression: Expression, place: Place) -> Carried:
    """The expression in our words; raises `NotUnderstood` where there are none."""
    match expression:
        case Literal():
            return constant(expression.value)
        case Name(parts=(variable, *below)) if variable in place.variables:
            value = place.variables[variable]
            return carry(Call(".", (value, *map(Literal, below))) if below else value, place)
        case Name():
            return _name(expression, place)
        case Call():
            function = _FUNCTIONS.get(expression.function)
            if function is None:
                raise NotUnderstood(f"there is no function like {expression.function} here")
            return function(expression, place)


_SAME: Mapping[tuple[str, ...], str] = {
    ("repository", "branch"): "repository.branch",
    ("batch_change", "name"): "campaign.name",
    ("batch_change", "description"): "campaign.description",
    ("batch_change_link",): "campaign.link",
    ("step", "stdout"): "step.stdout",
    ("step", "stderr"): "step.stderr",
}


def _name(name: Name, place: Place) -> Carried:
    match name.parts:
        case parts if parts in _SAME:
            return Carried(_SAME[parts])
        case ("repository", "name"):
            place.say("repository.name is owner/name here, without github.com/ before it")
            return Carried("repository.name")
        case ("steps", "path") if place.path is not None:
            return constant(place.path)
        case ("steps", "path") if place.step is not None:
            return Carried("workspace.path")
        case ("previous_step", "stdout" | "stderr" as what) if place.step is not None:
            return Carried(f"steps[{place.step - 1}].{what}") if place.step else constant("")
        case ("outputs", _, *_) if place.has_outputs:
            return Carried(".".join(name.parts))
        case _:
            raise NotUnderstood(f"nothing stands for {'.'.join(name.parts)} here")


def _operator(call: Call, place: Place) -> Carried:
    left, *rights = call.arguments
    if not rights or (len(rights) > 1 and call.function != "eq"):
        raise NotUnderstood(f"{call.function} needs two values")
    about_names = Name(("repository", "name")) in call.arguments
    quiet = _without_names(place) if about_names else place
    values = [carry(_without_host(right) if about_names else right, quiet) for right in rights]
    first = carry(_without_host(left) if about_names else left, quiet)
    texts = [f"{first.within} {_OPERATORS[call.function]} {value.within}" for value in values]
    return Carried(" or ".join(texts), is_condition=True, is_simple=False)


def _without_names(place: Place) -> Place:
    """Where both sides lose the host, nothing is to be said about it."""
    return Place(step=place.step, path=place.path, variables=place.variables)


def _without_host(expression: Expression) -> Expression:
    if isinstance(expression, Literal) and isinstance(expression.value, str):
        return Literal(without_host(expression.value))
    return expression


def without_host(name: str) -> str:
    """A repository's name, or a glob of names, without `github.com/` at its begin."""
    starred = "*" if name.startswith(f"*{_HOST}") else ""
    return (name.removeprefix(starred)).removeprefix(_HOST)


def _matches(call: Call, place: Place) -> Carried:
    value, pattern = _arguments(call, 2)
    about_names = value == Name(("repository", "name"))
    carried = carry(value, _without_names(place) if about_names else place)
    glob = carry(_without_host(pattern) if about_names else pattern, place)
    return Carried(f"matches({carried.text}, {glob.text})", is_condition=True)


def _joined(call: Call, place: Place) -> Carried:
    values = [carry(argument, place) for argument in call.arguments]
    if len(values) < 2:
        raise NotUnderstood(f"{call.function} needs two values")
    conditions = all(value.is_condition for value in values)
    return Carried(f" {call.function} ".join(value.within for value in values), conditions, is_simple=False)


def _not(call: Call, place: Place) -> Carried:
    [value] = _arguments(call, 1)
    return Carried(f"not {carry(value, place).within}", is_condition=True, is_simple=False)


def _filter(name: str, count: int) -> Callable[[Call, Place], Carried]:
    def carried(call: Call, place: Place) -> Carried:
        value, *others = (carry(argument, place) for argument in _arguments(call, count))
        if name == "replace" and all(isinstance(each.constant, str) for each in (value, *others)):
            return constant(value.constant.replace(*(each.constant for each in others)))
        given = f"({', '.join(other.text for other in others)})" if others else ""
        return Carried(f"{value.within} | {name}{given}", is_simple=False)

    return carried


def _join(call: Call, place: Place) -> Carried:
    if list_of_files(call.arguments[0]) and not place.shell_list:
        raise NotUnderstood(f"nothing stands for {'.'.join(_parts(call.arguments[0]))} here")
    return _filter("join", 2)(call, place)


def _parts(expression: Expression) -> tuple[str, ...]:
    return expression.parts if isinstance(expression, Name) else ()


def _index(call: Call, place: Place) -> Carried:
    value, *keys = call.arguments
    if value == Call("split", (Name(("repository", "name")), Literal("/"))) and len(keys) == 1:
        return _part_of_name(keys[0])
    text = carry(value, place).within
    for key in keys:
        text += f"[{carry(key, place).text}]"
    return Carried(text)


def _part_of_name(key: Expression) -> Carried:
    """Host, owner and name without the owner, which names of ours have without the host."""
    match key:
        case Literal(value=0):
            return constant("github.com")
        case Literal(value=1):
            return Carried("repository.owner")
        case Literal(value=2):
            return Carried('(repository.name | split("/"))[1]')
        case _:
            raise NotUnderstood("a repository's name has no such part")


def _below(call: Call, place: Place) -> Carried:
    value, *keys = call.arguments
    names = "".join(f".{key.value}" for key in keys if isinstance(key, Literal))
    return Carried(carry(value, place).within + names)


def _same(call: Call, place: Place) -> Carried:
    [value] = _arguments(call, 1)
    return carry(value, place)


def _arguments(call: Call, count: int) -> tuple[Expression, ...]:
    if len(call.arguments) != count:
        raise NotUnderstood(f"{call.function} needs {count} values")
    return call.arguments


_FUNCTIONS: Mapping[str, Callable[[Call, Place], Carried]] = {
    **dict.fromkeys(_OPERATORS, _operator),
    "and": _joined,
    "or": _joined,
    "not": _not,
    "matches": _matches,
    "join": _join,
    "replace": _filter("replace", 3),
    "split": _filter("split", 2),
    "len": _filter("length", 1),
    "index": _index,
    "print": _same,
    ".": _below,
}
