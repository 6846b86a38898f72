"""`octobatch installations`: where the GitHub App is installed, and what was found there."""

from __future__ import annotations

import typer

from .client import open_gateway
from .output import Output, OutputFormat, moment, print_json, print_rows

app = typer.Typer(help="List where the GitHub App is installed.")


@app.callback(invoke_without_command=True)
def installations(context: typer.Context, output: Output = OutputFormat.TABLE) -> None:
    """List where the GitHub App is installed."""
    if context.invoked_subcommand:
        return
    with open_gateway() as gateway:
        found = list(gateway.items("/installations"))
    if output is OutputFormat.JSON:
        print_json(found)
        return
    print_rows(
        ("installation", "account", "kind", "repositories", "suspended"),
        (
            (
                str(each["id"]),
                each["account"],
                each["account_type"],
                each["repository_selection"],
                moment(each["suspended_at"]),
            )
            for each in found
        ),
    )
