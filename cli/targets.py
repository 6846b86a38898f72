"""`octobatch targets`, `diff` and `logs`: one repository of a run at a time."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import Annotated, Any

import typer
from rich.syntax import Syntax

from .client import open_gateway
from .naming import OptionalRun, RunOption, TargetArgument, find_run, find_target
from .output import Output, OutputFormat, print_json, print_rows, print_text, results


def register(app: typer.Typer) -> None:
    """Adds the commands to `octobatch`."""
    app.command(epilog="Example: octobatch targets bump-go --state failed")(targets)
    app.command(epilog="Example: octobatch diff acme/api")(diff)
    app.command(epilog="Example: octobatch logs acme/api")(logs)


def targets(
    run: OptionalRun = None,
    state: Annotated[str | None, typer.Option(help="Only targets in this state.", show_default=False)] = None,
    output: Output = OutputFormat.TABLE,
) -> None:
    """List the targets of a run: each repository, its state, its change and its pull request."""
    with open_gateway() as gateway:
        found = list(gateway.items(f"/runs/{find_run(gateway, run)['id']}/targets", state=state))
    if output is OutputFormat.JSON:
        print_json(found)
    else:
        print_targets(found)


def print_targets(found: Iterable[dict[str, Any]]) -> None:
    """The table of targets."""
    print_rows(
        ("repository", "state", "files", "+", "-", "pull request", "reason"),
        (
            (
                each["repository"],
                each["state"],
                *_stat(each["diff_stat"]),
                pull_request_url(each),
                each["reason"],
            )
            for each in found
        ),
    )


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
    if output is OutputFormat.JSON:
        print_json({"target": target, kind: text})
    elif kind == "diff" and sys.stdout.isatty():
        results().print(Syntax(text, "diff", background_color="default"))
    else:
        print_text(text)
