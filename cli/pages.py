"""`octobatch open`: the web pages."""

from __future__ import annotations

import webbrowser

import typer

from .client import open_gateway
from .naming import OptionalRun, find_run
from .output import print_text


def register(app: typer.Typer) -> None:
    """Adds the commands to `octobatch`."""
    app.command("open", epilog="Examples: octobatch open · octobatch open bump-go")(open_page)


def open_page(run: OptionalRun = None) -> None:
    """Open a run's page in the browser, or all campaigns' where no run is named; the address is printed too."""
    with open_gateway() as gateway:
        address = f"{gateway.url}/ui/runs/{find_run(gateway, run)['id']}" if run else f"{gateway.url}/"
    print_text(f"{address}\n")
    webbrowser.open(address)
