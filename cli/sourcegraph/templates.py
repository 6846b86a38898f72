"""Templates of batch specs as templates of campaign specs: blocks become values that are there under a condition."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from .expressions import Carried, Place, carry, constant, list_of_files
from .go_templates import Action, Block, Call, If, Literal, Name, NotUnderstood, Range, Text, read_template


@dataclass(frozen=True)
class _Part:
    """Text, or an expression, that is written where all of the guards hold."""

    value: Carried
    guards: tuple[str, ...] = ()
    is_text: bool = False

    def written(self) -> str:
        if not self.guards:
            return str(self.value.constant) if self.is_text else f"${{{{ {self.value.text} }}}}"
        return f'${{{{ {self.value.within} if {" and ".join(self.guards)} else "" }}}}'


def carry_template(template: str, place: Place) -> str:
    """The template in our words; raises `NotUnderstood` where there are none."""
    return "".join(part.written() for part in _parts(read_template(template), place, ()))


def carry_line(template: str, place: Place, *, spaces: bool = True) -> str:
    """The same for one line: without line ends around its parts, and without any space where it may have none."""
    parts = list(_parts(read_template(template), place, ()))
    tidy = [_tidied(part, spaces=spaces) for part in parts]
    return "".join(part.written() for part in tidy if part.value.constant != "").strip()


def _tidied(part: _Part, *, spaces: bool) -> _Part:
    if not part.is_text:
        return part
    text = re.sub(r"\s*\n\s*" if spaces else r"\s+", "", str(part.value.constant))
    return replace(part, value=constant(text))


def carry_condition(condition: str, place: Place) -> str | bool:
    """A step's `if`, which holds in batch specs where the text is `true`; raises `NotUnderstood`."""
    blocks = read_template(condition)
    match [block for block in blocks if not (isinstance(block, Text) and not block.text.strip())]:
        case []:
            return False
        case [Text(text)]:
            return text.strip() == "true"
        case [Action(expression, "")]:
            carried = carry(expression, place)
            if carried.is_condition:
                return f"${{{{ {carried.text} }}}}"
            return f'${{{{ {carried.within} | lower | trim == "true" }}}}'
        case _:
            return carry_template(condition, place)


def _parts(blocks: Sequence[Block], place: Place, guards: tuple[str, ...]) -> Iterator[_Part]:
    for block in blocks:
        try:
            yield from list(_block(block, place, guards))
        except NotUnderstood as error:
            if not place.in_pieces:
                raise
            place.say(f"a part of the text is left out: {error}")


def _block(block: Block, place: Place, guards: tuple[str, ...]) -> Iterator[_Part]:
    match block:
        case Text(text):
            yield _Part(constant(text), guards, is_text=True)
        case Action(expression, variable) if variable:
            place.variables[variable] = expression
        case Action():
            yield from _action(block, place, guards)
        case If():
            holds = carry(block.condition, place)
            yield from _parts(block.then, place, (*guards, holds.within))
            yield from _parts(block.otherwise, place, (*guards, f"(not {holds.within})"))
        case Range():
            yield from _range(block, place, guards)


def _action(action: Action, place: Place, guards: tuple[str, ...]) -> Iterator[_Part]:
    match action.expression:
        case Literal(value=value) if isinstance(value, str) and "${{" not in value and "}}" not in value:
            yield _Part(constant(value), guards, is_text=True)
        case Name() if place.shell_list and (files := list_of_files(action.expression)) and not guards:
            yield _Part(constant(f"[{place.shell_list(files, ' ')}]"), is_text=True)
        case Call("join", (values, Literal(value=separator))) if (
            place.shell_list and (files := list_of_files(values)) and isinstance(separator, str) and not guards
        ):
            yield _Part(constant(place.shell_list(files, separator)), is_text=True)
        case Call("join_if", (Literal(value=separator), *values)):
            yield from _join_if(str(separator), [carry(value, place) for value in values], guards)
        case Call("printf", (Literal(value=format_), *values)):
            yield from _printf(str(format_), [carry(value, place) for value in values], guards)
        case expression:
            carried = carry(expression, place)
            is_text = isinstance(carried.constant, str) and "${{" not in carried.constant
            yield _Part(carried, guards, is_text=is_text)


def _join_if(separator: str, values: list[Carried], guards: tuple[str, ...]) -> Iterator[_Part]:
    before: list[Carried] = []
    for value in values:
        if value.constant == "":
            continue
        there = () if value.constant else (value.within,)
        known = any(other.constant for other in before)
        if before and not known:
            there = (*there, f"({' or '.join(other.within for other in before)})")
        if before:
            yield _Part(constant(separator), (*guards, *there), is_text=True)
        yield _Part(value, guards, is_text=isinstance(value.constant, str))
        before.append(value)


def _printf(text: str, values: list[Carried], guards: tuple[str, ...]) -> Iterator[_Part]:
    pieces = re.split(r"%[svd]", text)
    if len(pieces) != len(values) + 1 or "%" in "".join(pieces).replace("%%", ""):
        raise NotUnderstood("printf is carried for %s, %v and %d only")
    for piece, value in zip(pieces, [*values, None], strict=True):
        yield _Part(constant(piece.replace("%%", "%")), guards, is_text=True)
        if value:
            yield _Part(value, guards)


def _range(block: Range, place: Place, guards: tuple[str, ...]) -> Iterator[_Part]:
    """A loop that writes each element between two texts is `join`; there is no other."""
    element = Action(Name((block.variable or ".",)))
    texts: list[str] = ["", ""]
    at = 0
    for each in block.body:
        if isinstance(each, Text):
            texts[at] += each.text
        elif each == element and not at:
            at = 1
        else:
            raise NotUnderstood("a range is carried only where it writes each element between two texts")
    values = carry(block.values, place)
    yield _Part(constant(texts[0]), (*guards, values.within), is_text=True)
    joined = Carried(f"{values.within} | join({json.dumps(texts[1] + texts[0])})", is_simple=False)
    yield _Part(joined, guards)
    yield _Part(constant(texts[1]), (*guards, values.within), is_text=True)
