"""`octobatch apply` and `preview`: from a spec in a file to a run."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import typer

from .client import Gateway, open_gateway
from .failures import ExitCode
from .output import Output, OutputFormat, counts_line, print_json, results, say
from .runs import NoWatch, finish, follow, start_run
from .specs import SpecFile, read_spec
from .targets import print_targets


def register(app: typer.Typer) -> None:
    """Adds the commands to `octobatch`."""
    app.command(epilog="Example: octobatch apply -f campaign.yaml")(apply)
    app.command(epilog="Example: octobatch preview -f campaign.yaml")(preview)


def apply(file: SpecFile, no_watch: NoWatch = False, output: Output = OutputFormat.TABLE) -> None:
    """Create or update the campaign that FILE describes, run it, and watch its pull requests open."""
    with open_gateway() as gateway:
        run = _start(gateway, file, dry_run=False)
        if not no_watch:
            finish(gateway, run["id"], output)
        elif output is OutputFormat.JSON:
            print_json(run)


def preview(file: SpecFile, output: Output = OutputFormat.TABLE) -> None:
    """Prepare the change in every repository and show what would change; publish nothing."""
    with open_gateway() as gateway:
        started = time.monotonic()
        run = _start(gateway, file, dry_run=True)
        ended, failed = follow(gateway, run["id"])
        found = list(gateway.items(f"/runs/{run['id']}/targets"))
    if output is OutputFormat.JSON:
        print_json(ended | {"targets": found})
    else:
        print_targets(found)
        seconds = time.monotonic() - started
        results().print(f"preview {ended['state']} in {seconds:.1f} s: {counts_line(ended['counts'])}", highlight=False)
        say("see a change with 'octobatch diff OWNER/NAME', open the pull requests with 'octobatch apply'")
    if failed:
        raise typer.Exit(ExitCode.FAILED)


def _start(gateway: Gateway, file: Path, *, dry_run: bool) -> dict[str, Any]:
    document, spec = read_spec(file)
    campaign = gateway.put(f"/campaigns/{spec.name}", {"document": document}, document=str(file))
    run = start_run(gateway, spec.name, dry_run=dry_run)
    say(f"run {run['id']} of {spec.name}, version {campaign['current_version']} of its spec")
    return run
