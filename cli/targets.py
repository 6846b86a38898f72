"""`octobatch targets`, `diff` and `logs`: one repository of a run at a time."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import Annotated, Any

import typer
from rich.syntax import Syntax

from shared.domain.selection_views import ExportFormat

from .client import open_gateway
from .exporting import ExportFile, write_pieces
from .joined_options import with_options_of
from .naming import OptionalRun, RunOption, TargetArgument, find_run, find_target
from .output import Output, OutputFormat, print_as, print_rows, print_text, results, say
from .target_filters import TargetFilter, target_filter


def register(app: typer.Typer) -> None:
    """Adds the commands to `octobatch`."""
    app.command(epilog="Example: octobatch targets bump-go --state failed")(targets)
    app.command(epilog="Example: octobatch export bump-go --state open --file open.csv")(export)
    app.command(epilog="Example: octobatch diff acme/api")(diff)
    app.command(epilog="Example: octobatch logs acme/api")(logs)


@with_options_of(wanted=target_filter)
def targets(*, run: OptionalRun = None, wanted: TargetFilter, output: Output = OutputFormat.TABLE) -> None:
    """List the targets of a run: each repository, its state, its change and its pull request."""
    with open_gateway() as gateway:
        found = list(gateway.items(f"/runs/{find_run(gateway, run)['id']}/targets", **wanted.query))
    if output.is_for_programs:
        print_as(output, found)
    else:
        print_targets(found)


@with_options_of(wanted=target_filter)
def export(
    *,
    run: OptionalRun = None,
    form: Annotated[ExportFormat, typer.Option("--output", "-o", help="The file's format.")] = ExportFormat.CSV,
    file: ExportFile = None,
    wanted: TargetFilter,
) -> None:
    """Write the targets of a run as CSV, JSON or JSON lines."""
    with open_gateway() as gateway:
        path = f"/runs/{find_run(gateway, run)['id']}/targets/export"
        write_pieces(gateway.pieces(path, format=form, **wanted.query), file)
    if file:
        say(f"the targets are in {file}")


def print_targets(found: Iterable[dict[str, Any]]) -> None:
    """The table of targets."""
    print_rows(
        ("repository", "state", "files", "+", "-", "pull request", "reason"),
        (
            (
                f"{each['repository']}#{each['group']}" if each["group"] else each["repository"],
                each["state"],
                *_stat(each["diff_stat"]),
                pull_request_url(each),
                each["reason"],
            )
            for each in found
        ),
    )


def print_warnings(warnings: Iterable[dict[str, Any]], *, left_out: Iterable[dict[str, Any]] = ()) -> None:
    """Each kind of warning with how many targets have it and the first of them; then why repositories were left out."""
    for each in warnings:
        more = each["count"] - len(each["repositories"])
        names = ", ".join(each["repositories"]) + (f" and {more} more" if more else "")
        say(f"warning: {each['message']} ({names})")
    for each in left_out:
        say(f"left out: {each['count']}, because {each['value']}")


def pull_request_url(target: dict[str, Any]) -> str:
    """Where the pull request of a target, or of an event's payload, is; empty where there is none."""
    reference: dict[str, Any] = target.get("pull_request") or {}
    return reference.get("url", "")


def _stat(stat: dict[str, int] | None) -> tuple[int | None, ...]:
    return (stat["files"], stat["additions"], stat["deletions"]) if stat else (None, None, None)


def diff(target: TargetArgument, run: RunOption = None, output: Output = OutputFormat.TABLE) -> None:
    """Print the diff of a target's change."""
    _print_artifact("diff", target, run, output)


def logs(target: TargetArgument, run: RunOption = None, output: Output = OutputFormat.TABLE) -> None:
    """Print what the steps said in a target's repository."""
    _print_artifact("log", target, run, output)


def _print_artifact(kind: str, name: str, run: str | None, output: OutputFormat) -> None:
    with open_gateway() as gateway:
        target = find_target(gateway, name, run)
        text = gateway.text(f"/targets/{target['id']}/{kind}")
    if output.is_for_programs:
        print_as(output, {"target": target, kind: text})
    elif kind == "diff" and sys.stdout.isatty():
        results().print(Syntax(text, "diff", background_color="default"))
    else:
        print_text(text)
