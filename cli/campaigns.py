"""`octobatch campaigns`: the campaigns there are, and what becomes of them."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from .client import open_gateway
from .closing import close
from .output import Output, OutputFormat, moment, print_facts, print_json, print_rows, say

app = typer.Typer(help="List, show, archive, close and delete campaigns.", no_args_is_help=True)
app.command(epilog="Example: octobatch campaigns close bump-go --dry-run")(close)

Name = Annotated[str, typer.Argument(metavar="NAME", help="The campaign's name.")]


@app.command("list")
def list_campaigns(output: Output = OutputFormat.TABLE) -> None:
    """List all campaigns."""
    with open_gateway() as gateway:
        campaigns = list(gateway.items("/campaigns"))
    if output is OutputFormat.JSON:
        print_json(campaigns)
        return
    print_rows(
        ("campaign", "state", "version", "updated", "description"),
        (
            (each["name"], each["state"], each["current_version"], moment(each["updated_at"]), each["description"])
            for each in campaigns
        ),
    )


@app.command()
def show(
    name: Name,
    spec: Annotated[bool, typer.Option("--spec", help="Print the spec itself.")] = False,
    output: Output = OutputFormat.TABLE,
) -> None:
    """Show one campaign, or with --spec the document that it is described by."""
    with open_gateway() as gateway:
        campaign = gateway.get(f"/campaigns/{name}")
        version = gateway.get(f"/campaigns/{name}/versions/{campaign['current_version']}")
    if output is OutputFormat.JSON:
        print_json(campaign | {"spec": version["document"]})
    elif spec:
        typer.echo(version["document"], nl=False)
    else:
        _print(campaign)


def _print(campaign: dict[str, Any]) -> None:
    print_facts(
        (
            ("campaign", campaign["name"]),
            ("state", campaign["state"]),
            ("description", campaign["description"]),
            ("version", campaign["current_version"]),
            ("created", f"{moment(campaign['created_at'])} by {campaign['created_by']}"),
            ("updated", moment(campaign["updated_at"])),
            ("runs again", moment(campaign["next_run_at"])),
        )
    )


@app.command()
def archive(name: Name, output: Output = OutputFormat.TABLE) -> None:
    """Archive a campaign: it keeps its history and takes no new runs."""
    _set_state(name, "archive", "archived", output)


@app.command()
def unarchive(name: Name, output: Output = OutputFormat.TABLE) -> None:
    """Take a campaign out of the archive."""
    _set_state(name, "unarchive", "active", output)


def _set_state(name: str, action: str, state: str, output: OutputFormat) -> None:
    with open_gateway() as gateway:
        campaign = gateway.post(f"/campaigns/{name}/{action}")
    if output is OutputFormat.JSON:
        print_json(campaign)
    else:
        say(f"campaign {name} is {state}")


@app.command()
def pause(name: Name, output: Output = OutputFormat.TABLE) -> None:
    """Pause every run of a campaign that is not finished."""
    _act_on_runs(name, "pause", "paused", output)


@app.command()
def resume(name: Name, output: Output = OutputFormat.TABLE) -> None:
    """Go on with every run of a campaign that was paused."""
    _act_on_runs(name, "resume", "resumed", output)


def _act_on_runs(name: str, action: str, done: str, output: OutputFormat) -> None:
    with open_gateway() as gateway:
        runs = gateway.post(f"/campaigns/{name}/{action}")["items"]
    if output is OutputFormat.JSON:
        print_json(runs)
    else:
        say(f"{len(runs)} {'run' if len(runs) == 1 else 'runs'} of {name} {done}")


@app.command()
def delete(name: Name) -> None:
    """Delete a campaign that never ran; one that did can only be archived, so that its history is kept."""
    with open_gateway() as gateway:
        gateway.delete(f"/campaigns/{name}")
    say(f"campaign {name} is deleted")
