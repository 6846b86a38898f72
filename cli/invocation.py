"""What a command was told that every command takes: `--context` and `--quiet`, before its name or after it."""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass, replace
from typing import Annotated, cast

import typer
from typer.core import TyperGroup, TyperOption

from .contexts import load_contexts
from .failures import CommandFailed


@dataclass(frozen=True, kw_only=True)
class Invocation:
    """`context` names the gateway to speak to; `is_quiet` leaves out all that is said beside results and errors."""

    context: str | None = None
    is_quiet: bool = False


_TOLD_NOTHING = Invocation()
_current: ContextVar[Invocation] = ContextVar("invocation", default=_TOLD_NOTHING)


def invocation() -> Invocation:
    """What the command that runs now was told."""
    return _current.get()


def complete_contexts(incomplete: str) -> list[tuple[str, str]]:
    """Names of contexts, with their addresses; none where they cannot be read."""
    try:
        named = load_contexts().named
    except CommandFailed:
        return []
    return [(name, context.url) for name, context in named.items() if name.startswith(incomplete)]


def _choose_context(name: str | None) -> None:
    if name:
        _current.set(replace(_current.get(), context=name))


def _be_quiet(wanted: bool) -> None:
    if wanted:
        _current.set(replace(_current.get(), is_quiet=True))


ContextOption = Annotated[
    str | None,
    typer.Option(
        "--context",
        metavar="NAME",
        help="Speak to the gateway of this context, whatever else is set.",
        callback=_choose_context,
        expose_value=False,
        autocompletion=complete_contexts,
        show_default=False,
    ),
]
QuietOption = Annotated[
    bool,
    typer.Option("--quiet", help="Say nothing beside results and errors.", callback=_be_quiet, expose_value=False),
]


def add_to_every_command(root: TyperGroup) -> None:
    """Has each command below `root` take the options too: people write them last as often as first."""
    template = typer.Typer(add_completion=False)
    template.command()(_taking_both)
    for option in cast("list[TyperOption]", typer.main.get_command(template).params):
        option.hidden = True  # `octobatch --help` tells of them, once
        _add(root, option)


def _taking_both(context: ContextOption = None, quiet: QuietOption = False) -> None: ...


def _add(group: TyperGroup, option: TyperOption) -> None:
    for command in group.commands.values():
        if not {*option.opts} & {name for each in command.params for name in each.opts}:
            command.params.append(option)
        if isinstance(command, TyperGroup):
            _add(command, option)
