"""Options that several commands have: declared once, in each of them where they belong."""

from __future__ import annotations

from typing import Annotated

import typer
from typer.testing import CliRunner

from cli.joined_options import with_options_of

said: list[object] = []


def which(state: str = "any", number: Annotated[int, typer.Option("-n")] = 1) -> tuple[str, int]:
    return state, number


@with_options_of(wanted=which)
def command(name: str, *, wanted: tuple[str, int], loud: bool = False) -> None:
    """Says what it was given."""
    said.append((name, wanted, loud))


def test_a_command_takes_the_options_and_is_given_what_was_made_of_them() -> None:
    app = typer.Typer()
    app.command()(command)
    ran = CliRunner().invoke(app, ["x", "--state", "open", "-n", "3", "--loud"])
    assert ran.exit_code == 0, ran.output
    assert said == [("x", ("open", 3), True)]
    help_text = CliRunner().invoke(app, ["--help"]).output
    assert "Says what it was given." in help_text
    assert "wanted" not in help_text
