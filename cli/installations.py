"""`octobatch installations`: where the GitHub App is installed, and what was found there."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from .client import open_gateway
from .installation_index import show_index
from .naming import Installation, find_installation
from .output import Output, OutputFormat, moment, print_as, print_facts, print_rows, say
from .scopes import permissions_line

app = typer.Typer(help="List where the GitHub App is installed, and whether each grants what is expected.")
app.command("index", epilog="Example: octobatch installations index acme --refresh")(show_index)


@app.callback(invoke_without_command=True)
def installations(context: typer.Context, output: Output = OutputFormat.TABLE) -> None:
    """List where the GitHub App is installed, and whether each grants what is expected."""
    if context.invoked_subcommand:
        return
    with open_gateway() as gateway:
        found = gateway.short_list("/installations")
    if output.is_for_programs:
        print_as(output, found)
        return
    print_rows(
        ("installation", "account", "kind", "repositories", "suspended", "drift"),
        (
            (
                str(each["id"]),
                each["account"],
                each["account_type"],
                each["repository_selection"],
                moment(each["suspended_at"]),
                _drift(each),
            )
            for each in found
        ),
    )


@app.command()
def show(installation: Installation, output: Output = OutputFormat.TABLE) -> None:
    """Show an installation."""
    with open_gateway() as gateway:
        found = gateway.get(f"/installations/{find_installation(gateway, installation)}")
    if output.is_for_programs:
        print_as(output, found)
        return
    print_facts(
        (
            ("installation", str(found["id"])),
            ("account", f"{found['account']} ({found['account_type']})"),
            ("repositories", found["repository_selection"]),
            ("permissions", permissions_line(found["permissions"])),
            ("missing", permissions_line(found["missing"])),
            ("excessive", permissions_line(found["excessive"])),
            ("suspended", moment(found["suspended_at"])),
            ("webhook", found["webhook_url"]),
            ("events", ", ".join(found["webhook_events"])),
            ("changed", moment(found["updated_at"])),
            ("checked", moment(found["checked_at"])),
        )
    )


@app.command()
def events(
    installation: Installation,
    limit: Annotated[int, typer.Option("--limit", min=1, help="How many at most.")] = 20,
    output: Output = OutputFormat.TABLE,
) -> None:
    """List what happened to an installation, newest first."""
    with open_gateway() as gateway:
        found = list(gateway.items(f"/installations/{find_installation(gateway, installation)}/events", limit=limit))
    if output.is_for_programs:
        print_as(output, found)
        return
    print_rows(
        ("at", "event", "details"),
        ((moment(each["occurred_at"]), each["type"], _drift(each["details"])) for each in found),
    )


@app.command(epilog="Example: octobatch installations limits acme")
def limits(installation: Installation, output: Output = OutputFormat.TABLE) -> None:
    """Show what is left of GitHub's limits for an installation, of all workers together."""
    with open_gateway() as gateway:
        found = gateway.get(f"/installations/{find_installation(gateway, installation)}/limits")
    if output.is_for_programs:
        print_as(output, found)
        return
    print_rows(
        ("limit", "left", "of", "counted by", "whole again"),
        (
            (
                each["name"],
                f"{each['left']:,}",
                f"{each['limit']:,}",
                "GitHub" if each["kind"] == "told" else "the workers",
                moment(each["free_at"]),
            )
            for each in found["limits"]
        ),
    )
    for what, until in (("everything", found["paused_until"]), ("writing", found["writes_paused_until"])):
        if until:
            say(f"GitHub asked for a pause of {what} until {moment(until)}")


@app.command()
def sync(output: Output = OutputFormat.TABLE) -> None:
    """Ask GitHub now how all installations are; this happens by itself every five minutes and on webhooks."""
    with open_gateway() as gateway:
        done = gateway.post("/installations/sync")
    if output.is_for_programs:
        print_as(output, done)
        return
    say(f"{done['installations']} installations, {done['changes']} changes")


def _drift(facts: dict[str, Any]) -> str:
    missing, excessive = permissions_line(facts.get("missing", {})), permissions_line(facts.get("excessive", {}))
    return "; ".join(
        filter(None, [f"lacks {missing}" if missing else "", f"grants {excessive} besides" if excessive else ""])
    )
