"""The command line: every group of commands, and one place where failures become lines and exit codes."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from importlib.metadata import entry_points, version
from typing import Annotated, Protocol, cast

import typer
from rich.text import Text
from typer.core import TyperGroup

from shared.errors import OctobatchError

from . import (
    acting,
    applying,
    artifacts,
    audit,
    bulk,
    campaigns,
    context_commands,
    event_lines,
    health,
    installations,
    keys,
    notifications,
    operations,
    pages,
    policies,
    runs,
    selections,
    signing_in,
    specs,
    streams,
    target_history,
    targets,
    token_records,
    tokens,
    webhooks,
)
from .failures import EXIT_CODES_HELP, CommandFailed, ExitCode
from .github_app import commands as github_app
from .invocation import ContextOption, QuietOption, add_to_every_command
from .output import say_always

ENTRY_POINTS = "octobatch.commands"
"""Packages add commands by an entry point of this group: a function that is given the typer application."""

app = typer.Typer(
    name="octobatch",
    help="Run campaigns on GitHub: one spec, many repositories, every pull request followed until it is merged.",
    epilog=EXIT_CODES_HELP,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"octobatch {version('octobatch')}")
        raise typer.Exit


@app.callback()
def octobatch(
    show_version: Annotated[  # its callback answers
        bool, typer.Option("--version", help="Print the version and stop.", callback=_print_version, is_eager=True)
    ] = False,
    context: ContextOption = None,
    quiet: QuietOption = False,
) -> None:
    """Holds the options of `octobatch` itself."""


class Part(Protocol):
    """A module with commands that stand below `octobatch` itself."""

    def register(self, app: typer.Typer, /) -> None:
        """Adds the commands."""
        ...


PARTS: Mapping[str, Sequence[Part]] = {
    "Campaigns and runs": (applying, runs, event_lines, pages),
    "Look at targets": (targets, target_history, artifacts),
    acting.PANEL: (acting,),
    "Gateways": (signing_in, health, audit),
    "Tokens": (tokens, token_records),
}
"""The commands below `octobatch` itself, by the heading that `octobatch --help` has them under."""

GROUPS: Mapping[str, typer.Typer] = {
    "contexts": context_commands.app,
    "campaigns": campaigns.app,
    "bulk": bulk.app,
    "selections": selections.app,
    "operations": operations.app,
    "installations": installations.app,
    "github-app": github_app.app,
    "keys": keys.app,
    "policies": policies.app,
    "spec": specs.app,
    "streams": streams.app,
    "webhooks": webhooks.app,
    "notifications": notifications.app,
}


def _register_all() -> None:
    for panel, parts in PARTS.items():
        before = len(app.registered_commands)
        for part in parts:
            part.register(app)
        for command in app.registered_commands[before:]:
            command.rich_help_panel = panel
    for name, group in GROUPS.items():
        app.add_typer(group, name=name)
    for entry_point in entry_points(group=ENTRY_POINTS):
        entry_point.load()(app)


def command_line() -> TyperGroup:
    """`octobatch` with all its commands."""
    _register_all()
    root = cast("TyperGroup", typer.main.get_command(app))
    add_to_every_command(root)
    return root


def main() -> None:
    """The `octobatch` command. typer answers wrong usage with 2 and an interrupt with 130; the rest is said here."""
    try:
        command_line()()
    except CommandFailed as failure:
        _complain(failure.message, failure.hint)
        sys.exit(failure.exit_code)
    except OctobatchError as error:
        _complain(str(error), "")
        sys.exit(ExitCode.FAILED)


def _complain(message: str, hint: str) -> None:
    say_always(Text.assemble(("error: ", "bold red"), message))
    if hint:
        say_always(Text.assemble(("hint: ", "bold"), hint))


if __name__ == "__main__":
    main()
