"""`octobatch selections`: which repositories a spec selects, and why; made, watched, repeated and cancelled."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from shared.domain.selection import SelectionState

from . import selection_contents, selection_schedules
from .client import Gateway, open_gateway
from .failures import ExitCode
from .naming import SelectionArgument, find_selection
from .output import Output, OutputFormat, moment, print_as, print_facts, print_rows, results, say
from .selection_progress import SelectionProgress, cost_line, index_note, watch_selection
from .specs import SpecFile, read_spec

app = typer.Typer(help="Select repositories as a spec says; see which, and why.", no_args_is_help=True)
app.add_typer(selection_schedules.app, name="schedule")
selection_contents.register(app)

Fresh = Annotated[bool, typer.Option("--fresh", help="Ask GitHub for everything, whatever the index has.")]
Watch = Annotated[bool, typer.Option("--watch/--no-watch", help="Show how far it is until it is finished.")]


@app.command(epilog="Examples: octobatch selections create -f spec.yaml · … create -f spec.yaml --fresh -o json")
def create(file: SpecFile, fresh: Fresh = False, watch: Watch = True, output: Output = OutputFormat.TABLE) -> None:
    """Select the repositories that FILE is for, and do nothing with them."""
    document, _ = read_spec(file)
    with open_gateway() as gateway:
        body = {"document": document, "fresh": fresh}
        started = gateway.post("/selections", body, document=str(file))["selection"]
        _follow(gateway, started, watch, output)


@app.command("list")
def list_selections(
    state: Annotated[SelectionState | None, typer.Option(help="Only in this state.", show_default=False)] = None,
    name: Annotated[str | None, typer.Option(help="Only by specs of this name.", show_default=False)] = None,
    campaign: Annotated[str | None, typer.Option(help="Only of this campaign's runs.", show_default=False)] = None,
    schedule: Annotated[str | None, typer.Option(help="Only of this schedule.", show_default=False)] = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many, newest first.")] = 20,
    output: Output = OutputFormat.TABLE,
) -> None:
    """List selections, newest first."""
    with open_gateway() as gateway:
        schedule_id = gateway.get(f"/selection-schedules/{schedule}")["id"] if schedule else None
        wanted = {"state": state, "name": name, "campaign": campaign, "schedule_id": schedule_id}
        found = list(gateway.items("/selections", limit=limit, **wanted))
    if output.is_for_programs:
        print_as(output, found)
        return
    print_rows(
        ("selection", "name", "state", "in", "out", "requests", "created", "error"),
        (
            (
                each["id"],
                each["name"],
                each["state"],
                each["included"],
                each["excluded"],
                each["requests"],
                moment(each["created_at"]),
                each["error"],
            )
            for each in found
        ),
    )


@app.command()
def show(
    selection: SelectionArgument,
    spec: Annotated[bool, typer.Option("--spec", help="Print the spec that it was made from instead.")] = False,
    output: Output = OutputFormat.TABLE,
) -> None:
    """Show a selection: how far it is, its counts, and what it cost."""
    with open_gateway() as gateway:
        found = gateway.get(f"/selections/{find_selection(gateway, selection)['id']}")
    if output.is_for_programs:
        print_as(output, found)
    elif spec:
        results().print(found["document"], end="", highlight=False, markup=False)
    else:
        _print(found)


@app.command()
def watch(selection: SelectionArgument, output: Output = OutputFormat.TABLE) -> None:
    """Watch a selection until it is finished. It goes on whether it is watched or not."""
    with open_gateway() as gateway:
        _follow(gateway, find_selection(gateway, selection), True, output)


@app.command()
def cancel(selection: SelectionArgument, output: Output = OutputFormat.TABLE) -> None:
    """Cancel a selection that is being made. One of a run is cancelled with its run: octobatch cancel RUN."""
    with open_gateway() as gateway:
        cancelled = gateway.post(f"/selections/{find_selection(gateway, selection)['id']}/cancel")
    if output.is_for_programs:
        print_as(output, cancelled)
    else:
        say(f"selection {cancelled['id']} is {cancelled['state']}")


@app.command(epilog="Then: octobatch selections diff NEW, which compares it with the one before")
def repeat(
    selection: SelectionArgument,
    fresh: Annotated[
        bool | None, typer.Option("--fresh/--indexed", help="Ask GitHub, or the index. Default: as before.")
    ] = None,
    watch: Watch = True,
    output: Output = OutputFormat.TABLE,
) -> None:
    """Make a selection of the same spec again."""
    with open_gateway() as gateway:
        path = f"/selections/{find_selection(gateway, selection)['id']}/repeat"
        _follow(gateway, gateway.post(path, {"fresh": fresh})["selection"], watch, output)


def _follow(gateway: Gateway, selection: dict[str, Any], watch: bool, output: OutputFormat) -> None:
    """Watches until the end where that is wanted, tells how it ended, and exits with 1 where it has no repositories."""
    if watch:
        say(f"selection {selection['id']} of {selection['name']}")
        selection = watch_selection(gateway, selection["id"])
    if output.is_for_programs:
        print_as(output, selection)
    elif watch:
        _tell(selection)
    else:
        results().print(f"selection {selection['id']} is {selection['state']}", highlight=False)
    if selection["state"] in (SelectionState.FAILED, SelectionState.CANCELLED):
        raise typer.Exit(ExitCode.FAILED)


def _tell(selection: dict[str, Any]) -> None:
    counts = f"{selection['included']} in, {selection['excluded']} out; {cost_line(selection)}"
    ended = counts if selection["state"] == SelectionState.COMPLETE else selection["error"] or ""
    results().print(f"selection {selection['state']}: {ended}".removesuffix(": "), highlight=False, markup=False)
    if note := index_note(selection):
        say(note)
    if selection["state"] == SelectionState.COMPLETE:
        say(f"see which with 'octobatch selections repositories {selection['name'] or selection['id']}'")


def _print(found: dict[str, Any]) -> None:
    progress = SelectionProgress(found)
    is_finished = found["finished_at"] is not None
    print_facts(
        (
            ("selection", found["id"]),
            ("name", found["name"]),
            ("state", found["state"]),
            ("progress", "" if is_finished else f"{found['phase']}: {progress.line}"),
            ("included", str(found["included"])),
            ("excluded", str(found["excluded"])),
            ("cost", cost_line(found)),
            ("index", index_note(found)),
            ("fresh", "yes, GitHub was asked for everything" if found["is_fresh"] else None),
            ("run", found["run_id"]),
            ("repeats", found["previous_id"]),
            ("created", f"{moment(found['created_at'])} by {found['created_by']}"),
            ("finished", moment(found["finished_at"])),
            ("error", found["error"]),
        )
    )
