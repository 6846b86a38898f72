"""`octobatch notifications`: what people were told of a campaign, and trying whether they are reached."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Annotated, Any

import typer

from .client import Gateway, open_gateway
from .failures import CommandFailed
from .naming import CampaignName, find_campaign
from .output import Output, OutputFormat, moment, print_as, print_rows

POLL_SECONDS = 0.5

app = typer.Typer(help="See what people were told of a campaign; who is told is in its spec.", no_args_is_help=True)


@app.command("list", epilog="Example: octobatch notifications list bump-go --state dead")
def list_(
    name: CampaignName,
    state: Annotated[
        str | None, typer.Option(help="Only those that are waiting, delivered or dead.", show_default=False)
    ] = None,
    limit: Annotated[int, typer.Option(min=1, help="How many at most.")] = 50,
    output: Output = OutputFormat.TABLE,
) -> None:
    """List what people were told of a campaign, newest first."""
    with open_gateway() as gateway:
        path = f"/campaigns/{find_campaign(gateway, name)['name']}/notifications"
        _print(list(gateway.items(path, limit=limit, state=state)), output)


@app.command("test", epilog="Example: octobatch notifications test bump-go")
def send_test(
    name: CampaignName,
    wait: Annotated[float, typer.Option(metavar="SECONDS", help="How long to wait for the first answers.")] = 20.0,
    output: Output = OutputFormat.TABLE,
) -> None:
    """Send a message to each who is told of a campaign, and say what came of it."""
    with open_gateway() as gateway:
        path = f"/campaigns/{find_campaign(gateway, name)['name']}/notifications"
        sent = [each["id"] for each in gateway.post(f"{path}/test")["items"]]
        found = _tried(gateway, path, sent, wait)
    _print(found, output)
    if any(each["state"] != "delivered" for each in found):
        waiting = [each for each in found if not each["attempts"]]
        hint = "does a campaigns worker run?" if waiting else "a message that is waiting is tried again"
        raise CommandFailed("not everybody was reached", hint=hint)


def _tried(gateway: Gateway, path: str, ids: Sequence[str], wait: float) -> list[dict[str, Any]]:
    deadline = time.monotonic() + wait
    while True:
        latest = {each["id"]: each for each in gateway.items(path, limit=100)}
        found = [latest[each] for each in ids]
        if all(each["attempts"] for each in found) or time.monotonic() > deadline:
            return found
        time.sleep(POLL_SECONDS)


def _print(found: Sequence[dict[str, Any]], output: OutputFormat) -> None:
    if output.is_for_programs:
        print_as(output, list(found), name="id")
        return
    print_rows(
        ("at", "to", "state", "told", "error"),
        (
            (
                moment(each["created_at"]),
                each["to"],
                each["state"],
                "; ".join(notice["text"] for notice in each["notices"]),
                each["error"],
            )
            for each in found
        ),
    )
