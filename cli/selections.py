"""`octobatch selections`: which repositories a run is for, and why."""

from __future__ import annotations

from typing import Annotated

import typer

from .client import open_gateway
from .output import Output, OutputFormat, moment, print_facts, print_json, print_rows

app = typer.Typer(help="Show which repositories were selected, and why.", no_args_is_help=True)

SelectionId = Annotated[str, typer.Argument(metavar="SELECTION", help="The selection's id; a run names its own.")]


@app.command()
def show(selection: SelectionId, output: Output = OutputFormat.TABLE) -> None:
    """Show a selection and its counts."""
    with open_gateway() as gateway:
        found = gateway.get(f"/selections/{selection}")
    if output is OutputFormat.JSON:
        print_json(found)
        return
    print_facts(
        (
            ("selection", found["id"]),
            ("state", found["state"]),
            ("included", found["included"]),
            ("excluded", found["excluded"]),
            ("created", moment(found["created_at"])),
            ("finished", moment(found["finished_at"])),
            ("error", found["error"]),
        )
    )


@app.command()
def repositories(
    selection: SelectionId,
    included: Annotated[
        bool | None, typer.Option("--included/--excluded", help="Only those that are in, or out.", show_default=False)
    ] = None,
    output: Output = OutputFormat.TABLE,
) -> None:
    """List the repositories of a selection, in or out, each with the reason."""
    wanted = None if included is None else str(included).lower()
    with open_gateway() as gateway:
        found = list(gateway.items(f"/selections/{selection}/repositories", included=wanted))
    if output is OutputFormat.JSON:
        print_json(found)
        return
    print_rows(
        ("repository", "branch", "included", "reason"),
        ((each["repository"], each["branch"], "yes" if each["included"] else "no", each["reason"]) for each in found),
    )
