"""`octobatch run`, `runs`, `watch` and `cancel`: runs of campaigns, and how they go."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from .client import Gateway, open_gateway
from .failures import ExitCode
from .naming import OptionalRun, find_run
from .output import Output, OutputFormat, counts_line, moment, print_json, print_rows, results, say
from .watching import watch_run

NoWatch = Annotated[bool, typer.Option("--no-watch", help="Return at once, without waiting for the end.")]


def register(app: typer.Typer) -> None:
    """Adds the commands to `octobatch`."""
    app.command(epilog="Example: octobatch run bump-go --dry-run")(run)
    app.command()(runs)
    app.command(epilog="Examples: octobatch watch · octobatch watch bump-go")(watch)
    app.command()(cancel)


def start_run(gateway: Gateway, campaign: str, *, dry_run: bool) -> dict[str, Any]:
    """Starts a run of the campaign's newest version."""
    return gateway.post(f"/campaigns/{campaign}/runs", {"dry_run": dry_run})["run"]


def follow(gateway: Gateway, run_id: str) -> tuple[dict[str, Any], bool]:
    """Shows the run until it has ended; gives the run, and whether it or a target failed."""
    progress = watch_run(gateway, run_id)
    return gateway.get(f"/runs/{run_id}"), progress.failed


def finish(gateway: Gateway, run_id: str, output: OutputFormat) -> None:
    """Follows the run, says how it ended, and exits with 1 where it or a target failed."""
    ended, failed = follow(gateway, run_id)
    if output is OutputFormat.JSON:
        print_json(ended)
    else:
        results().print(f"run {ended['state']}: {counts_line(ended['counts'])}", highlight=False)
        say(f"page: {gateway.url}/ui/runs/{run_id}")
    if failed:
        raise typer.Exit(ExitCode.FAILED)


def run(
    campaign: Annotated[str, typer.Argument(metavar="CAMPAIGN", help="The campaign's name.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Prepare every change and publish nothing.")] = False,
    no_watch: NoWatch = False,
    output: Output = OutputFormat.TABLE,
) -> None:
    """Run a campaign's newest spec again, and watch it."""
    with open_gateway() as gateway:
        started = start_run(gateway, campaign, dry_run=dry_run)
        say(f"run {started['id']} of {campaign}")
        if not no_watch:
            finish(gateway, started["id"], output)
        elif output is OutputFormat.JSON:
            print_json(started)


def runs(
    campaign: Annotated[str | None, typer.Option(help="Only runs of this campaign.", show_default=False)] = None,
    state: Annotated[str | None, typer.Option(help="Only runs in this state.", show_default=False)] = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many, newest first.")] = 20,
    output: Output = OutputFormat.TABLE,
) -> None:
    """List runs, newest first."""
    with open_gateway() as gateway:
        found = list(gateway.items("/runs", limit=limit, campaign=campaign, state=state))
    if output is OutputFormat.JSON:
        print_json(found)
        return
    print_rows(
        ("run", "campaign", "kind", "state", "created", "finished", "error"),
        (
            (
                each["id"],
                each["campaign_name"],
                "preview" if each["dry_run"] else "apply",
                each["state"],
                moment(each["created_at"]),
                moment(each["finished_at"]),
                each["error"],
            )
            for each in found
        ),
    )


def watch(run: OptionalRun = None, output: Output = OutputFormat.TABLE) -> None:
    """Watch a run until it has ended. It goes on whether it is watched or not."""
    with open_gateway() as gateway:
        finish(gateway, find_run(gateway, run)["id"], output)


def cancel(run: OptionalRun = None, output: Output = OutputFormat.TABLE) -> None:
    """Cancel a run: nothing more is published; pull requests that are open stay open."""
    with open_gateway() as gateway:
        cancelled = gateway.post(f"/runs/{find_run(gateway, run)['id']}/cancel")
    if output is OutputFormat.JSON:
        print_json(cancelled)
    else:
        say(f"run {cancelled['id']} of {cancelled['campaign_name']} is {cancelled['state']}")
