"""`octobatch run`, `runs`, `watch` and `cancel`: runs of campaigns, and how they go."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from .client import Gateway, open_gateway
from .completion import complete_campaigns
from .failures import ExitCode
from .naming import CampaignName, OptionalRun, find_campaign, find_run
from .output import Output, OutputFormat, counts_line, moment, print_as, print_facts, print_rows, results, say
from .watching import watch_run

runs_app = typer.Typer(
    name="runs",
    help="List runs, and show one.",
    epilog="Examples: octobatch runs --campaign bump-go · octobatch runs show · octobatch runs progress bump-go",
)
NoWatch = Annotated[bool, typer.Option("--no-watch", help="Return at once, without waiting for the end.")]


def register(app: typer.Typer) -> None:
    """Adds the commands to `octobatch`."""
    app.command(epilog="Example: octobatch run bump-go --dry-run")(run)
    app.add_typer(runs_app)
    app.command(epilog="Examples: octobatch watch · octobatch watch bump-go")(watch)
    app.command(epilog="Examples: octobatch pause · octobatch pause bump-go")(pause)
    app.command(epilog="Example: octobatch resume bump-go")(resume)
    app.command(epilog="Example: octobatch cancel bump-go")(cancel)


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
    if output.is_for_programs:
        print_as(output, ended)
    else:
        results().print(f"run {ended['state']}: {counts_line(ended['counts'])}", highlight=False)
        say(f"page: {gateway.url}/ui/runs/{run_id}")
    if failed:
        raise typer.Exit(ExitCode.FAILED)


def run(
    campaign: CampaignName,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Prepare every change and publish nothing.")] = False,
    no_watch: NoWatch = False,
    output: Output = OutputFormat.TABLE,
) -> None:
    """Run a campaign's newest spec again, and watch it."""
    with open_gateway() as gateway:
        find_campaign(gateway, campaign, is_whole=True)  # says which was meant, where there is none of that name
        started = start_run(gateway, campaign, dry_run=dry_run)
        say(f"run {started['id']} of {campaign}")
        if not no_watch:
            finish(gateway, started["id"], output)
        elif output.is_for_programs:
            print_as(output, started)


@runs_app.callback(invoke_without_command=True)
def runs(
    context: typer.Context,
    campaign: Annotated[
        str | None,
        typer.Option(help="Only runs of this campaign.", show_default=False, autocompletion=complete_campaigns),
    ] = None,
    state: Annotated[str | None, typer.Option(help="Only runs in this state.", show_default=False)] = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many, newest first.")] = 20,
    output: Output = OutputFormat.TABLE,
) -> None:
    """List runs, newest first; `runs show` shows one."""
    if context.invoked_subcommand:
        return
    with open_gateway() as gateway:
        found = list(gateway.items("/runs", limit=limit, campaign=campaign, state=state))
    if output.is_for_programs:
        print_as(output, found)
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


@runs_app.command()
def show(run: OptionalRun = None, output: Output = OutputFormat.TABLE) -> None:
    """Show one run: its targets by state, what it waits for, and when it is expected to be done."""
    with open_gateway() as gateway:
        found = find_run(gateway, run)
    if output.is_for_programs:
        print_as(output, found)
        return
    print_facts(
        (
            ("run", found["id"]),
            ("campaign", f"{found['campaign_name']}, version {found['spec_version']} of its spec"),
            ("kind", "preview" if found["dry_run"] else "apply"),
            ("state", found["state"]),
            ("targets", counts_line(found["counts"])),
            *(("waits for", each["text"]) for each in found["waits_for"]),
            ("expected", moment(found["expected_at"])),
            ("created", f"{moment(found['created_at'])} by {found['created_by']}"),
            ("finished", moment(found["finished_at"])),
            ("error", found["error"]),
        )
    )


@runs_app.command()
def progress(run: OptionalRun = None, output: Output = OutputFormat.TABLE) -> None:
    """Show how far a run's pull requests are: by wave with what its gate wants, by owner, and day by day."""
    with open_gateway() as gateway:
        found = gateway.get(f"/runs/{find_run(gateway, run)['id']}/progress")
    if output.is_for_programs:
        print_as(output, found)
        return
    if found["waves"]:
        rows = ((each["number"], each["size"], counts_line(each["counts"]), _gate(each)) for each in found["waves"])
        print_rows(("wave", "targets", "of these", "gate"), rows)
    if found["owners"]:
        rows = ((each["owner"] or "(nobody)", counts_line(each["counts"])) for each in found["owners"])
        print_rows(("owner", "targets"), rows)
    steps = found["burndown"]
    print_rows(
        ("at", "opened", "merged", "closed"),
        ((moment(each["at"]), each["opened"], each["merged"], each["closed"]) for each in steps),
    )


def _gate(wave: dict[str, Any]) -> str:
    return ", ".join(f"{each['name']} {each['now']:.0%} of {each['wanted']:.0%}" for each in wave["gate"])


def pause(run: OptionalRun = None, output: Output = OutputFormat.TABLE) -> None:
    """Pause a run: nothing new is begun or published until it is resumed; what is being published now ends."""
    _act(run, "pause", "is paused", output)


def resume(run: OptionalRun = None, output: Output = OutputFormat.TABLE) -> None:
    """Go on with a run that was paused."""
    _act(run, "resume", "goes on", output)


def _act(run: str | None, action: str, done: str, output: OutputFormat) -> None:
    with open_gateway() as gateway:
        changed = gateway.post(f"/runs/{find_run(gateway, run)['id']}/{action}")
    if output.is_for_programs:
        print_as(output, changed)
    else:
        say(f"run {changed['id']} of {changed['campaign_name']} {done}")


def watch(run: OptionalRun = None, output: Output = OutputFormat.TABLE) -> None:
    """Watch a run until it has ended. It goes on whether it is watched or not."""
    with open_gateway() as gateway:
        finish(gateway, find_run(gateway, run)["id"], output)


def cancel(run: OptionalRun = None, output: Output = OutputFormat.TABLE) -> None:
    """Cancel a run: nothing more is published; pull requests that are open stay open."""
    with open_gateway() as gateway:
        cancelled = gateway.post(f"/runs/{find_run(gateway, run, is_whole=True)['id']}/cancel")
    if output.is_for_programs:
        print_as(output, cancelled)
    else:
        say(f"run {cancelled['id']} of {cancelled['campaign_name']} is {cancelled['state']}")
