"""`octobatch operations`: what became of a command that was accepted."""

from __future__ import annotations

import time
from typing import Annotated, Any

import typer

from shared.domain.operation import OperationState

from .client import Gateway, open_gateway
from .failures import CommandFailed
from .naming import OptionalRun, find_run
from .output import Output, OutputFormat, moment, print_as, print_facts, print_rows

POLL_SECONDS = 0.3

app = typer.Typer(
    help="Show what became of accepted commands.",
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


@app.command("list", epilog="Examples: octobatch operations list bump-go · octobatch operations list --state failed")
def list_operations(
    run: OptionalRun = None,
    state: Annotated[OperationState | None, typer.Option(help="Only in this state.", show_default=False)] = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many, in their order.")] = 50,
    output: Output = OutputFormat.TABLE,
) -> None:
    """List the commands that were accepted for a run, and what became of each."""
    with open_gateway() as gateway:
        path = f"/runs/{find_run(gateway, run)['id']}/operations"
        found = list(gateway.items(path, limit=limit, state=state))
    if output.is_for_programs:
        print_as(output, found)
        return
    print_rows(
        ("operation", "command", "state", "attempts", "created", "finished", "error"),
        (
            (
                each["id"],
                each["type"],
                each["state"],
                each["attempts"],
                moment(each["created_at"]),
                moment(each["finished_at"]),
                each["error"],
            )
            for each in found
        ),
    )


def wait_for(gateway: Gateway, operation: dict[str, Any]) -> None:
    """Returns once the operation has succeeded; raises `CommandFailed` where it has not."""
    found = operation
    while found["state"] == "accepted":
        time.sleep(POLL_SECONDS)
        found = gateway.get(f"/operations/{operation['id']}")
    if found["state"] != "succeeded":
        raise CommandFailed(f"operation {found['id']} {found['state']}: {found['error'] or 'nobody said why'}")
