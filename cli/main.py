"""The command line: every group of commands, and one place where failures become lines and exit codes."""

from __future__ import annotations

import sys
from importlib.metadata import entry_points, version
from typing import Annotated, cast

import typer
from rich.text import Text
from typer.core import TyperGroup

from shared.errors import OctobatchError

from . import (
    acting,
    applying,
    artifacts,
    bulk,
    campaigns,
    context_commands,
    event_lines,
    health,
    installations,
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


def _register_all() -> None:
    for part in (
        signing_in,
        applying,
        runs,
        targets,
        target_history,
        artifacts,
        event_lines,
        acting,
        tokens,
        token_records,
        pages,
        health,
    ):
        part.register(app)
    app.add_typer(context_commands.app, name="contexts")
    app.add_typer(campaigns.app, name="campaigns")
    app.add_typer(bulk.app, name="bulk")
    app.add_typer(selections.app, name="selections")
    app.add_typer(operations.app, name="operations")
    app.add_typer(installations.app, name="installations")
    app.add_typer(github_app.app, name="github-app")
    app.add_typer(policies.app, name="policies")
    app.add_typer(specs.app, name="spec")
    app.add_typer(streams.app, name="streams")
    app.add_typer(webhooks.app, name="webhooks")
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
