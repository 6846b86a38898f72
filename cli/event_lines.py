"""`octobatch events`: what happens, a line each, until it ends or Ctrl-C."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

import typer
from httpx_sse import ServerSentEvent

from .client import open_gateway
from .completion import complete_runs
from .naming import RUN_MEANT, find_run
from .output import Output, OutputFormat, counts_line, print_one_as, results, say
from .targets import pull_request_url


def register(app: typer.Typer) -> None:
    """Adds the command to `octobatch`."""
    app.command(epilog="Examples: octobatch events · octobatch events bump-go · octobatch events -o json | jq .type")(
        events
    )


def events(
    run: Annotated[
        str | None,
        typer.Argument(
            metavar="[RUN]",
            help=f"{RUN_MEANT} Default: all runs, each with its counts.",
            show_default=False,
            autocompletion=complete_runs,
        ),
    ] = None,
    output: Output = OutputFormat.TABLE,
) -> None:
    """Follow what happens: of a run each transition until it ends, of all runs their states and counts until Ctrl-C."""
    said: list[str] = []
    with open_gateway() as gateway:
        path = f"/runs/{find_run(gateway, run)['id']}/events" if run else "/events"
        for event in gateway.events(path, on_reconnect=lambda why: say(f"connecting again ({why})")):
            if output.is_for_programs:
                print_one_as(output, {"type": event.event, **event.json()})
                continue
            lines = lines_of(event)
            for line in lines if lines != said else ():  # how a run ended may be said twice
                results().print(line, highlight=False, markup=False)
            said = lines


def lines_of(event: ServerSentEvent) -> list[str]:
    """What an event says to people."""
    said: dict[str, Any] = event.json()
    match event.event:
        case "snapshot" if "runs" in said:
            return [_standing(each) for each in said["runs"]]
        case "snapshot" | "progress":
            return [_standing(said)]
        case _:
            return [_happened(event.event, said)]


def _standing(said: dict[str, Any]) -> str:
    run = said["run"]
    return f"{run['campaign_name']}  run {run['id']} {run['state']}: {counts_line(said['counts'])}"


def _happened(kind: str, said: dict[str, Any]) -> str:
    payload: dict[str, Any] = said["payload"]
    at = datetime.fromisoformat(said["occurred_at"]).astimezone().strftime("%H:%M:%S")
    of = payload.get("repository") or f"run {said['run_id']}"
    by = f"by {payload.get('actor') or payload.get('by')}" if payload.get("actor") or payload.get("by") else ""
    words = (payload.get("action") or kind.partition(".")[2], by, pull_request_url(payload))
    why = payload.get("reason") or payload.get("error") or ""
    return "  ".join(filter(None, (at, of, " ".join(filter(None, words)), why)))
