"""`octobatch apply` and `preview`: from a spec in a file to a run."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated, Any

import typer

from shared.domain.run import Moved

from .client import Gateway, open_gateway
from .failures import CommandFailed, ExitCode
from .naming import find_run
from .output import Output, OutputFormat, counts_line, print_as, results, say
from .runs import NoWatch, finish, follow, start_run
from .specs import OptionalSpecFile, SpecFile, read_spec
from .targets import print_targets, print_warnings


def register(app: typer.Typer) -> None:
    """Adds the commands to `octobatch`."""
    app.command(epilog="Examples: octobatch apply -f campaign.yaml · octobatch apply --preview RUN")(apply)
    app.command(epilog="Example: octobatch preview -f campaign.yaml")(preview)


def apply(
    file: OptionalSpecFile = None,
    preview: Annotated[
        str | None,
        typer.Option(metavar="RUN", help="Publish exactly what this preview has prepared.", show_default=False),
    ] = None,
    moved: Annotated[
        Moved, typer.Option(help="With --preview, where a base branch moved since: block, or prepare anew.")
    ] = Moved.BLOCK,
    no_watch: NoWatch = False,
    output: Output = OutputFormat.TABLE,
) -> None:
    """Create or update the campaign that FILE describes, run it, and watch its pull requests open.

    With --preview the changes of that preview are published as they are, and no step runs again.
    """
    if (file is None) == (preview is None):
        raise CommandFailed("give either a spec with --file or a run with --preview", exit_code=ExitCode.BAD_INPUT)
    with open_gateway() as gateway:
        run = _start(gateway, file, dry_run=False) if file else _publish_preview(gateway, preview, moved)
        if not no_watch:
            finish(gateway, run["id"], output)
        elif output.is_for_programs:
            print_as(output, run)


def _publish_preview(gateway: Gateway, preview: str | None, moved: Moved) -> dict[str, Any]:
    found = find_run(gateway, preview)
    order = {"preview_run_id": found["id"], "moved": moved}
    run = gateway.post(f"/campaigns/{found['campaign_name']}/runs", order)["run"]
    say(f"run {run['id']} publishes preview {found['id']} of {found['campaign_name']}")
    return run


def preview(file: SpecFile, output: Output = OutputFormat.TABLE) -> None:
    """Prepare the change in every repository and show what would change; publish nothing."""
    with open_gateway() as gateway:
        started = time.monotonic()
        run = _start(gateway, file, dry_run=True)
        ended, failed = follow(gateway, run["id"])
        found = list(gateway.items(f"/runs/{run['id']}/targets"))
        left_out = _left_out(gateway, ended)
    if output.is_for_programs:
        print_as(output, ended | {"targets": found})
    else:
        print_targets(found)
        print_warnings(ended["warnings"], left_out=left_out)
        seconds = time.monotonic() - started
        results().print(f"preview {ended['state']} in {seconds:.1f} s: {counts_line(ended['counts'])}", highlight=False)
        say(
            "see a change with 'octobatch diff OWNER/NAME', open these pull requests with"
            f" 'octobatch apply --preview {run['id']}'"
        )
    if failed:
        raise typer.Exit(ExitCode.FAILED)


def _left_out(gateway: Gateway, run: dict[str, Any]) -> list[dict[str, Any]]:
    """Why repositories were left out, each reason with their number."""
    if (run["selection"] or {}).get("state") != "complete":
        return []
    facets = gateway.get(f"/selections/{run['selection_id']}/facets", included="false")["facets"]
    return facets["reason"]


def _start(gateway: Gateway, file: Path, *, dry_run: bool) -> dict[str, Any]:
    document, spec = read_spec(file)
    campaign = gateway.put(f"/campaigns/{spec.name}", {"document": document}, document=str(file))
    run = start_run(gateway, spec.name, dry_run=dry_run)
    say(f"run {run['id']} of {spec.name}, version {campaign['current_version']} of its spec")
    return run
