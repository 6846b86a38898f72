"""`octobatch operations`: what became of a command that was accepted."""

from __future__ import annotations

from typing import Annotated

import typer

from .client import open_gateway
from .output import Output, OutputFormat, moment, print_facts, print_json

app = typer.Typer(help="Show what became of an accepted command.", no_args_is_help=True)


@app.command()
def show(
    operation: Annotated[str, typer.Argument(metavar="OPERATION", help="The operation's id.")],
    output: Output = OutputFormat.TABLE,
) -> None:
    """Show an operation."""
    with open_gateway() as gateway:
        found = gateway.get(f"/operations/{operation}")
    if output is OutputFormat.JSON:
        print_json(found)
        return
    print_facts(
        (
            ("operation", found["id"]),
            ("command", f"{found['type']} ({found['service']})"),
            ("state", found["state"]),
            ("attempts", found["attempts"]),
            ("created", moment(found["created_at"])),
            ("finished", moment(found["finished_at"])),
            ("error", found["error"]),
        )
    )
