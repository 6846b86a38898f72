"""A selection as it is made: how far it is, how fast, and when it may end; live on a terminal, in lines elsewhere."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from shared.domain.selection import SelectionState

from .client import Gateway
from .output import STATE_STYLES, messages, say
from .times import seconds_text

LINE_SECONDS = 2.0
"""How often a line is said where there is no terminal."""

_STEADY_SECONDS = 1.0  # a rate of less time than this says little


@dataclass
class SelectionProgress:
    """A selection as its events tell it; each event is the whole of it. Times are of a monotonic clock, in seconds."""

    selection: dict[str, Any] = field(default_factory=dict[str, Any])
    _phase: str = ""
    _first: tuple[float, int] = (0.0, 0)
    _latest: tuple[float, int] = (0.0, 0)

    def apply(self, selection: dict[str, Any], *, now: float) -> None:
        """Takes in what an event said at `now`."""
        self.selection = selection
        done, _ = self.done_of_total
        if self.phase != self._phase:
            self._phase, self._first = self.phase, (now, done)
        self._latest = (now, done)

    @property
    def phase(self) -> str:
        """`finding` or `examining`."""
        return str(self.selection.get("phase", "finding"))

    @property
    def state(self) -> str:
        """The selection's state."""
        return str(self.selection.get("state", "pending"))

    @property
    def done_of_total(self) -> tuple[int, int | None]:
        """Repositories found, or examined, and of how many; None where nobody knows yet."""
        if self.phase == "examining":
            return self.selection["examined"], self.selection["to_examine"]
        return self.selection.get("found", 0), self.selection.get("expected")

    @property
    def seconds_left(self) -> float | None:
        """How long this phase may go on at the speed it has had; None where that cannot be told."""
        (began, before), (now, done) = self._first, self._latest
        _, total = self.done_of_total
        if total is None or done <= before or now - began < _STEADY_SECONDS:
            return None
        return max(total - done, 0) * (now - began) / (done - before)

    @property
    def line(self) -> str:
        """`found 3200 of 25000, 33 requests`."""
        done, total = self.done_of_total
        of = "" if total is None else f" of {total}"
        verb = "examined" if self.phase == "examining" else "found"
        return f"{verb} {done}{of}, {self.selection.get('requests', 0)} requests"


def watch_selection(gateway: Gateway, selection_id: str) -> dict[str, Any]:
    """Shows the selection on stderr until it is finished, and gives it as it is then."""
    console = messages()
    return (_watch_live if console.is_terminal else _watch_lines)(gateway, selection_id, console)


def _watch_live(gateway: Gateway, selection_id: str, console: Console) -> dict[str, Any]:
    progress, started, note = SelectionProgress(), time.monotonic(), ""

    def picture() -> RenderableType:
        return _picture(progress, time.monotonic() - started, note)

    def reconnecting(why: str) -> None:
        nonlocal note
        note = f"connecting again ({why})"

    with Live(get_renderable=picture, console=console, refresh_per_second=8):
        for event in gateway.events(f"/selections/{selection_id}/events", on_reconnect=reconnecting):
            note = ""
            progress.apply(event.json()["selection"], now=time.monotonic())
    return progress.selection


def _watch_lines(gateway: Gateway, selection_id: str, console: Console) -> dict[str, Any]:
    progress, said = SelectionProgress(), 0.0

    def reconnecting(why: str) -> None:
        say(f"connecting again ({why})")

    for event in gateway.events(f"/selections/{selection_id}/events", on_reconnect=reconnecting):
        now = time.monotonic()
        progress.apply(event.json()["selection"], now=now)
        if now - said >= LINE_SECONDS and progress.state == SelectionState.SELECTING:
            said = now
            console.print(Text(progress.line))
    return progress.selection


def _picture(progress: SelectionProgress, seconds: float, note: str) -> RenderableType:
    done, total = progress.done_of_total
    left = progress.seconds_left or 0
    is_made = progress.state == SelectionState.SELECTING
    head = Table.grid(padding=(0, 1))
    head.add_row(
        ProgressBar(total=total, completed=done, width=30, pulse=is_made and total is None),
        Text(str(done) if total is None else f"{done}/{total}", style="bold"),
        Text(progress.phase if is_made else progress.state, style=STATE_STYLES.get(progress.state, "")),
        Text(f"{seconds_text(seconds)}{f', about {seconds_text(left)} left' if left > 1 else ''}", style="dim"),
    )
    lines = [Text(f"{progress.selection.get('found', 0)} found, {progress.selection.get('requests', 0)} requests")]
    return Group(head, *lines, *([Text(note, style="yellow")] if note else []))


def index_note(selection: dict[str, Any]) -> str:
    """How old the index was that answered; empty where GitHub was asked for everything."""
    if not selection["index_as_of"]:
        return ""
    at = selection["finished_at"]
    moment = datetime.fromisoformat(at) if at else datetime.now(UTC)
    age = (moment - datetime.fromisoformat(selection["index_as_of"])).total_seconds()
    return f"answered from the index, {seconds_text(max(age, 0))} old then; --fresh asks GitHub anew"


def cost_line(selection: dict[str, Any]) -> str:
    """`33 requests, 41 points, 12 s`; a server without limits tells no points."""
    parts = [f"{selection['requests']} requests", *([f"{selection['points']} points"] if selection["points"] else [])]
    if selection["finished_at"]:
        ended, began = (datetime.fromisoformat(selection[name]) for name in ("finished_at", "created_at"))
        parts.append(seconds_text((ended - began).total_seconds()))
    return ", ".join(parts)
