"""Asking before what cannot be undone."""

from __future__ import annotations

import sys

import typer

from .failures import CommandFailed, ExitCode

HINT = "run it with --dry-run to see what it would do, and with --yes to do it"


def ask(question: str, *, yes: bool, hint: str = HINT) -> None:
    """Goes on where the answer is yes, or `yes` was said before; ends the command where it is no.

    Raises `CommandFailed` where nobody is there to ask.
    """
    if yes:
        return
    if not sys.stdin.isatty():
        raise CommandFailed(f"{question} Nobody is there to ask", exit_code=ExitCode.BAD_INPUT, hint=hint)
    if not typer.confirm(question, err=True):
        raise typer.Exit(ExitCode.OK)
