"""Showing a run as it goes: a bar and the counts on a terminal, a line for each event elsewhere."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from httpx_sse import ServerSentEvent
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from shared.domain.run import RunState, is_finished

from .client import Gateway
from .output import STATE_STYLES, counts_line, messages, moment, say
from .progress import RunProgress
from .targets import pull_request_url

LIMITS_SECONDS = 5.0
"""How often the gateway is asked how far GitHub's limits put off the end."""

WORTH_SAYING = timedelta(minutes=1)

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
    progress, started, asked = RunProgress(), time.monotonic(), 0.0
    with Live(console=console, refresh_per_second=12, transient=False) as live:

        def redraw(note: str = "") -> None:
            live.update(_picture(progress, time.monotonic() - started, note))

        redraw()
        for event in gateway.events(f"/runs/{run_id}/events", on_reconnect=_connecting(redraw)):
            progress.apply(event)
            if time.monotonic() - asked > LIMITS_SECONDS:
                asked = time.monotonic()
                progress.limits_allow_at = gateway.get(f"/runs/{run_id}")["limits_allow_at"]
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
    notes = [note, _limits_note(progress)]
    return Group(head, states, *(Text(line, style="yellow") for line in notes if line))


def _limits_note(progress: RunProgress) -> str:
    """Says how long GitHub's limits make the run last, where that is long enough to matter."""
    if not progress.limits_allow_at or is_finished(RunState(progress.state)):
        return ""
    at = datetime.fromisoformat(progress.limits_allow_at)
    if at - datetime.now(UTC) < WORTH_SAYING:
        return ""
    return f"GitHub's limits let the rest be opened by {moment(progress.limits_allow_at)}"


def _watch_lines(gateway: Gateway, run_id: str, console: Console) -> RunProgress:
    progress, said = RunProgress(), ""
    for event in gateway.events(f"/runs/{run_id}/events", on_reconnect=lambda why: say(f"connecting again ({why})")):
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
