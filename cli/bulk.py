"""`octobatch bulk`: the bulk operations that there were, how far they are, and what became of each target."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from shared.domain.bulk import BulkState, BulkTargetState

from .bulk_progress import finish_bulk_operation
from .client import open_gateway
from .naming import RUN_MEANT, find_run
from .output import Output, OutputFormat, counts_line, moment, print_as, print_facts, print_rows, say
from .targets import pull_request_url

app = typer.Typer(
    help="List, show, watch and cancel bulk operations.",
    no_args_is_help=True,
    epilog="Examples: octobatch bulk list --campaign bump-go · octobatch bulk watch ID · "
    "octobatch bulk targets ID --state failed",
)

Id = Annotated[str, typer.Argument(metavar="ID", help="The bulk operation's id.")]


@app.command("list")
def list_bulk_operations(
    campaign: Annotated[str | None, typer.Option(help="Only of this campaign.", show_default=False)] = None,
    run: Annotated[
        str | None,
        typer.Option(
            "--run",
            metavar="RUN",
            help=f"Only of this run. {RUN_MEANT}",
            show_default=False,
        ),
    ] = None,
    state: Annotated[BulkState | None, typer.Option(help="Only in this state.", show_default=False)] = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many, newest first.")] = 20,
    output: Output = OutputFormat.TABLE,
) -> None:
    """List bulk operations, newest first."""
    with open_gateway() as gateway:
        run_id = find_run(gateway, run)["id"] if run else None
        found = list(gateway.items("/bulk-operations", limit=limit, campaign=campaign, run_id=run_id, state=state))
    if output.is_for_programs:
        print_as(output, found)
        return
    print_rows(
        ("bulk operation", "campaign", "action", "state", "created", "by", "targets"),
        (
            (
                each["id"],
                each["campaign_name"],
                each["action"],
                each["state"],
                moment(each["created_at"]),
                each["created_by"],
                counts_line(each["counts"]),
            )
            for each in found
        ),
    )


@app.command()
def show(bulk_id: Id, output: Output = OutputFormat.TABLE) -> None:
    """Show one bulk operation, and why targets were skipped or failed."""
    with open_gateway() as gateway:
        bulk = gateway.get(f"/bulk-operations/{bulk_id}")
    if output.is_for_programs:
        print_as(output, bulk)
        return
    print_facts(
        (
            ("bulk operation", bulk["id"]),
            ("campaign", bulk["campaign_name"]),
            ("run", bulk["run_id"] or "all"),
            ("action", bulk["action"]),
            ("parameters", _given(bulk["parameters"])),
            ("filter", _given(bulk["filter"])),
            ("state", bulk["state"]),
            ("targets", counts_line(bulk["counts"])),
            ("created", f"{moment(bulk['created_at'])} by {bulk['created_by']}"),
            ("finished", moment(bulk["finished_at"])),
        )
    )
    for each in bulk["reasons"]:
        say(f"{each['count']} {each['state']}: {each['reason']}")


def _given(options: dict[str, Any]) -> str:
    """What differs from its default."""
    return ", ".join(
        f"{name}={' '.join(value) if isinstance(value, list) else value}"  # pyright: ignore[reportUnknownArgumentType]
        for name, value in options.items()
        if value not in (None, [], False)
    )


@app.command()
def targets(
    bulk_id: Id,
    state: Annotated[
        BulkTargetState | None, typer.Option(help="Only those that came to this state.", show_default=False)
    ] = None,
    output: Output = OutputFormat.TABLE,
) -> None:
    """List the targets of a bulk operation, and what became of each."""
    with open_gateway() as gateway:
        found = list(gateway.items(f"/bulk-operations/{bulk_id}/targets", state=state))
    if output.is_for_programs:
        print_as(output, found)
        return
    print_rows(
        ("repository", "outcome", "reason", "target is", "pull request"),
        (
            (
                each["target"]["repository"],
                each["state"],
                each["reason"],
                each["target"]["state"],
                pull_request_url(each["target"]),
            )
            for each in found
        ),
    )


@app.command()
def watch(bulk_id: Id, output: Output = OutputFormat.TABLE) -> None:
    """Watch a bulk operation until it has ended. It goes on whether it is watched or not."""
    with open_gateway() as gateway:
        finish_bulk_operation(gateway, bulk_id, output)


@app.command()
def cancel(bulk_id: Id, output: Output = OutputFormat.TABLE) -> None:
    """Cancel a bulk operation: what is pending is not done; what is done stays."""
    with open_gateway() as gateway:
        bulk = gateway.post(f"/bulk-operations/{bulk_id}/cancel")
    if output.is_for_programs:
        print_as(output, bulk)
    else:
        say(f"bulk operation {bulk_id} is {bulk['state']}: {counts_line(bulk['counts'])}")
