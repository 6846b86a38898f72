"""`octobatch open`: the web pages."""

from __future__ import annotations

import webbrowser
from enum import StrEnum
from typing import Annotated

import typer

from .client import Gateway, open_gateway
from .completion import complete_campaigns, complete_runs, complete_selections
from .failures import CommandFailed, ExitCode
from .naming import SELECTION_HELP, RunOption, find_campaign, find_run, find_selection, find_target
from .output import print_text


class Room(StrEnum):
    """Pages that are about no one thing."""

    CAMPAIGNS = "campaigns"
    TARGETS = "targets"
    SELECTIONS = "selections"
    BULK_OPERATIONS = "bulk-operations"
    INSTALLATIONS = "installations"
    STREAMS = "streams"
    TOKENS = "tokens"
    POLICIES = "policies"
    WEBHOOKS = "webhooks"
    API = "api"


def register(app: typer.Typer) -> None:
    """Adds the commands to `octobatch`."""
    app.command(
        "open",
        epilog="Examples: octobatch open · octobatch open bump-go · octobatch open acme/api --run bump-go · "
        "octobatch open --campaign bump-go · octobatch open --page streams",
    )(open_page)


def open_page(
    what: Annotated[
        str | None,
        typer.Argument(
            metavar="[WHAT]",
            help="A run's id or a campaign's name for its latest run, or owner/name for its target there.",
            show_default=False,
            autocompletion=complete_runs,
        ),
    ] = None,
    run: RunOption = None,
    campaign: Annotated[
        str | None,
        typer.Option("--campaign", metavar="NAME", help="This campaign.", autocompletion=complete_campaigns),
    ] = None,
    selection: Annotated[
        str | None,
        typer.Option("--selection", metavar="SELECTION", help=SELECTION_HELP, autocompletion=complete_selections),
    ] = None,
    room: Annotated[Room | None, typer.Option("--page", help="This page.", show_default=False)] = None,
    browser: Annotated[bool, typer.Option("--browser/--no-browser", help="Open it, or only print it.")] = True,
) -> None:
    """Open a page in the browser, by default that of all campaigns; its address is printed too."""
    if sum(each is not None for each in (what, campaign, selection, room)) > 1:
        raise CommandFailed("say one thing to open", exit_code=ExitCode.BAD_INPUT)
    with open_gateway() as gateway:
        address = gateway.url + _path(gateway, what, run, campaign, selection, room)
    print_text(f"{address}\n")
    if browser:
        webbrowser.open(address)


def _path(
    gateway: Gateway,
    what: str | None,
    run: str | None,
    campaign: str | None,
    selection: str | None,
    room: Room | None,
) -> str:
    if campaign:
        return f"/ui/campaigns/{find_campaign(gateway, campaign)['name']}"
    if selection:
        return f"/ui/selections/{find_selection(gateway, selection)['id']}"
    if what and "/" in what:
        return f"/ui/targets/{find_target(gateway, what, run)['id']}"
    if what or run:
        return f"/ui/runs/{find_run(gateway, what or run)['id']}"
    if room is Room.API:
        return "/docs"
    return f"/ui/{room}" if room and room is not Room.CAMPAIGNS else "/"
