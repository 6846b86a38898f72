"""A bulk operation as it goes: a bar and the counts on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import typer
from rich.console import Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from .client import Gateway
from .failures import ExitCode
from .output import OutputFormat, counts_line, messages, print_as, results, say
from .times import seconds_text

ASK_SECONDS = 0.5
LINE_SECONDS = 5.0
MOST_FAILURES = 20


def finish_bulk_operation(gateway: Gateway, bulk_id: str, output: OutputFormat) -> None:
    """Follows the bulk operation, says how it ended, and exits with 1 where it failed for a target."""
    ended = watch_bulk_operation(gateway, bulk_id)
    if output.is_for_programs:
        print_as(output, ended)
    else:
        _say_how_it_ended(gateway, ended)
    if ended["counts"].get("failed"):
        raise typer.Exit(ExitCode.FAILED)


def watch_bulk_operation(gateway: Gateway, bulk_id: str) -> dict[str, Any]:
    """Shows it on stderr until it has ended, and gives it as it is then."""
    console, started = messages(), time.monotonic()
    bulk: dict[str, Any] = {}
    if console.is_terminal:
        with Live(console=console, refresh_per_second=8, transient=True) as live:
            for bulk in _states_of(gateway, bulk_id):
                live.update(_picture(bulk, time.monotonic() - started))
        return bulk
    said = started
    for bulk in _states_of(gateway, bulk_id):
        if time.monotonic() - said > LINE_SECONDS:
            said = time.monotonic()
            say(counts_line(bulk["counts"]))
    return bulk


def _states_of(gateway: Gateway, bulk_id: str) -> Iterator[dict[str, Any]]:
    while True:
        bulk = gateway.get(f"/bulk-operations/{bulk_id}")
        yield bulk
        if bulk["state"] != "running":
            return
        time.sleep(ASK_SECONDS)


def _picture(bulk: dict[str, Any], seconds: float) -> RenderableType:
    counts: dict[str, int] = bulk["counts"]
    total = sum(counts.values())
    ended = total - counts.get("pending", 0)
    head = Table.grid(padding=(0, 1))
    head.add_row(
        ProgressBar(total=max(total, 1), completed=ended, width=40),
        Text(f"{ended}/{total}", style="bold"),
        Text(bulk["action"].replace("_", " ")),
        Text(seconds_text(seconds), style="dim"),
    )
    return Group(head, Text(counts_line(counts)))


def _say_how_it_ended(gateway: Gateway, bulk: dict[str, Any]) -> None:
    failed = gateway.items(f"/bulk-operations/{bulk['id']}/targets", limit=MOST_FAILURES, state="failed")
    for each in failed:
        say(f"failed: {each['target']['repository']}: {each['reason']}")
    words = bulk["action"].replace("_", " ")
    results().print(f"{words} {bulk['state']}: {counts_line(bulk['counts'])}", highlight=False)
