"""`octobatch campaigns`: the campaigns there are, and what becomes of them."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from .client import open_gateway
from .closing import close
from .naming import CampaignName, find_campaign
from .output import Output, OutputFormat, moment, print_as, print_facts, print_rows, say
from .specs import diff

app = typer.Typer(
    help="List, show, archive, close and delete campaigns.",
    no_args_is_help=True,
    epilog="Examples: octobatch campaigns list · octobatch campaigns show bump-go --spec > bump-go.yaml",
)
app.command(epilog="Example: octobatch campaigns close bump-go --dry-run")(close)
app.command(epilog="Examples: octobatch campaigns diff bump-go · octobatch campaigns diff bump-go 3 5")(diff)


@app.command("list")
def list_campaigns(output: Output = OutputFormat.TABLE) -> None:
    """List all campaigns."""
    with open_gateway() as gateway:
        campaigns = list(gateway.items("/campaigns"))
    if output.is_for_programs:
        print_as(output, campaigns, name="name")
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
    name: CampaignName,
    spec: Annotated[bool, typer.Option("--spec", help="Print the spec itself.")] = False,
    output: Output = OutputFormat.TABLE,
) -> None:
    """Show one campaign, or with --spec the document that it is described by."""
    with open_gateway() as gateway:
        campaign = find_campaign(gateway, name)
        version = gateway.get(f"/campaigns/{campaign['name']}/versions/{campaign['current_version']}")
    if output.is_for_programs:
        print_as(output, campaign | {"spec": version["document"]}, name="name")
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
def versions(name: CampaignName, output: Output = OutputFormat.TABLE) -> None:
    """List the versions of a campaign's spec, newest first."""
    with open_gateway() as gateway:
        campaign = find_campaign(gateway, name)["name"]
        found = gateway.short_list(f"/campaigns/{campaign}/versions")
    if output.is_for_programs:
        print_as(output, found, name="version")
        return
    print_rows(
        ("version", "created", "by", "sha-256"),
        ((each["version"], moment(each["created_at"]), each["created_by"], each["sha256"][:12]) for each in found),
    )


@app.command()
def archive(name: CampaignName, output: Output = OutputFormat.TABLE) -> None:
    """Archive a campaign: it keeps its history and takes no new runs."""
    _set_state(name, "archive", "archived", output)


@app.command()
def unarchive(name: CampaignName, output: Output = OutputFormat.TABLE) -> None:
    """Take a campaign out of the archive."""
    _set_state(name, "unarchive", "active", output)


def _set_state(name: str, action: str, state: str, output: OutputFormat) -> None:
    with open_gateway() as gateway:
        name = find_campaign(gateway, name, is_whole=True)["name"]
        campaign = gateway.post(f"/campaigns/{name}/{action}")
    if output.is_for_programs:
        print_as(output, campaign, name="name")
    else:
        say(f"campaign {name} is {state}")


@app.command()
def pause(name: CampaignName, output: Output = OutputFormat.TABLE) -> None:
    """Pause every run of a campaign that is not finished."""
    _act_on_runs(name, "pause", "paused", output)


@app.command()
def resume(name: CampaignName, output: Output = OutputFormat.TABLE) -> None:
    """Go on with every run of a campaign that was paused."""
    _act_on_runs(name, "resume", "resumed", output)


def _act_on_runs(name: str, action: str, done: str, output: OutputFormat) -> None:
    with open_gateway() as gateway:
        name = find_campaign(gateway, name, is_whole=True)["name"]
        runs = gateway.post(f"/campaigns/{name}/{action}")["items"]
    if output.is_for_programs:
        print_as(output, runs)
    else:
        say(f"{len(runs)} {'run' if len(runs) == 1 else 'runs'} of {name} {done}")


@app.command()
def delete(name: CampaignName) -> None:
    """Delete a campaign that never ran; one that did can only be archived, so that its history is kept."""
    with open_gateway() as gateway:
        name = find_campaign(gateway, name, is_whole=True)["name"]
        gateway.delete(f"/campaigns/{name}")
    say(f"campaign {name} is deleted")
