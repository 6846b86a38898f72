"""`octobatch operations`: what became of a command that was accepted."""

from __future__ import annotations

import time
from typing import Annotated, Any

import typer

from .client import Gateway, open_gateway
from .failures import CommandFailed
from .output import Output, OutputFormat, moment, print_as, print_facts

POLL_SECONDS = 0.3

app = typer.Typer(
    help="Show what became of an accepted command.",
    no_args_is_help=True,
    epilog="Example: octobatch operations show 019ca8b5-1c02-7e01-b2aa-1f6c5d8e9a05",
)


@app.command()
def show(
    operation: Annotated[str, typer.Argument(metavar="OPERATION", help="The operation's id.")],
    output: Output = OutputFormat.TABLE,
) -> None:
    """Show an operation."""
    with open_gateway() as gateway:
        found = gateway.get(f"/operations/{operation}")
    if output.is_for_programs:
        print_as(output, found)
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


def wait_for(gateway: Gateway, operation: dict[str, Any]) -> None:
    """Returns once the operation has succeeded; raises `CommandFailed` where it has not."""
    found = operation
    while found["state"] == "accepted":
        time.sleep(POLL_SECONDS)
        found = gateway.get(f"/operations/{operation['id']}")
    if found["state"] != "succeeded":
        raise CommandFailed(f"operation {found['id']} {found['state']}: {found['error'] or 'nobody said why'}")
