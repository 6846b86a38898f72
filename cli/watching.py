"""Showing a run as it goes: a bar and the counts on a terminal, a line for each event elsewhere."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from httpx_sse import ServerSentEvent
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from .client import Gateway
from .outlook import asking_for_outlook, outlook_lines, same_outlook
from .output import STATE_STYLES, counts_line, messages, say
from .progress import RunProgress
from .targets import pull_request_url

_WAITING = {
    "pending": "waiting to begin",
    "selecting": "selecting repositories",
    "planning": "planning targets",
    "running": "running",
}


def watch_run(gateway: Gateway, run_id: str) -> RunProgress:
    """Shows the run on stderr until it has ended, and gives how it ended."""
    console = messages()
    show = _watch_live if console.is_terminal else _watch_lines
    progress = show(gateway, run_id, console)
    for repository, state, reason in progress.reasons:
        console.print(Text.assemble((f"{state} ", STATE_STYLES.get(state, "")), (repository, "bold"), f": {reason}"))
    if progress.run.get("error"):
        console.print(Text.assemble(("the run failed: ", "bold red"), str(progress.run["error"])))
    return progress


def _watch_live(gateway: Gateway, run_id: str, console: Console) -> RunProgress:
    progress, started = RunProgress(), time.monotonic()
    with Live(console=console, refresh_per_second=12, transient=False) as live:

        def redraw(note: str = "") -> None:
            live.update(_picture(progress, time.monotonic() - started, note))

        def look_ahead(run: dict[str, Any]) -> None:
            progress.outlook = run
            redraw()

        redraw()
        with asking_for_outlook(gateway, run_id, look_ahead):
            for event in gateway.events(f"/runs/{run_id}/events", on_reconnect=_connecting(redraw)):
                progress.apply(event)
                redraw()
        progress.outlook = {}
        redraw()
    return progress


def _connecting(redraw: Callable[[str], None]) -> Callable[[str], None]:
    return lambda why: redraw(f"connecting again ({why})")


def _picture(progress: RunProgress, seconds: float, note: str) -> RenderableType:
    head = Table.grid(padding=(0, 1))
    head.add_row(
        ProgressBar(total=max(progress.total, 1), completed=progress.settled, width=40),
        Text(f"{progress.settled}/{progress.total}", style="bold"),
        Text(_WAITING.get(progress.state, progress.state), style=STATE_STYLES.get(progress.state, "")),
        Text(f"{seconds:.1f} s", style="dim"),
    )
    states = Text("  ").join(
        Text.assemble((f"{count} ", "bold"), (state, STATE_STYLES.get(state, "")))
        for state, count in progress.ordered_counts.items()
    )
    notes = [note, *outlook_lines(progress.outlook)]
    return Group(head, states, *(Text(line, style="yellow") for line in notes if line))


def _watch_lines(gateway: Gateway, run_id: str, console: Console) -> RunProgress:
    progress, said = RunProgress(), ""

    def look_ahead(run: dict[str, Any]) -> None:
        if not same_outlook(run, progress.outlook):
            console.print(*(Text(line) for line in outlook_lines(run)), sep="\n")
        progress.outlook = run

    with asking_for_outlook(gateway, run_id, look_ahead):
        for event in gateway.events(
            f"/runs/{run_id}/events", on_reconnect=lambda why: say(f"connecting again ({why})")
        ):
            progress.apply(event)
            line = _line(event, progress)
            if line and line != said:  # the last snapshot repeats the last event
                console.print(Text(line))
                said = line
    return progress


def _line(event: ServerSentEvent, progress: RunProgress) -> str:
    if event.event == "snapshot":
        return f"run {progress.state}: {counts_line(progress.ordered_counts)}"
    payload: dict[str, Any] = event.json().get("payload", {})
    if event.event in ("run.paused", "run.resumed"):
        return f"{event.event.replace('.', ' ')} by {payload['by']}"
    if event.event == "run.wave":
        return f"wave {payload['wave']} of {payload['waves']} begins"
    if event.event.startswith("run."):
        return f"run {payload['to']}: {counts_line(progress.ordered_counts)}"
    if event.event.startswith("target."):
        url = pull_request_url(payload)
        return " ".join(
            filter(
                None,
                (f"{payload.get('action', payload['to']):<10}", payload["repository"], url, payload.get("reason", "")),
            )
        )
    return ""
