"""`octobatch webhooks ping`, `deliveries`, `delivery` and `redeliver`: what was sent to an endpoint."""

from __future__ import annotations

import json
import time
from typing import Annotated, Any

import typer

from .client import open_gateway
from .failures import CommandFailed, ExitCode
from .output import Output, OutputFormat, moment, print_as, print_facts, print_rows, say

PATH = "/webhook-endpoints"
POLL_SECONDS = 0.3

Endpoint = Annotated[str, typer.Argument(metavar="ENDPOINT", help="The endpoint's id.")]
Delivery = Annotated[str, typer.Argument(metavar="DELIVERY", help="The message's id, that of its event.")]


def register(app: typer.Typer) -> None:
    """Adds the commands to `octobatch webhooks`."""
    app.command()(ping)
    app.command(epilog="Example: octobatch webhooks deliveries ENDPOINT --state dead")(deliveries)
    app.command()(delivery)
    app.command(epilog="Example: octobatch webhooks redeliver ENDPOINT --all-dead")(redeliver)


def ping(
    endpoint: Endpoint,
    wait: Annotated[float, typer.Option(metavar="SECONDS", help="How long to wait for the first answer.")] = 20.0,
    output: Output = OutputFormat.TABLE,
) -> None:
    """Send a message that only says that messages arrive, and say what came of it."""
    with open_gateway() as gateway:
        sent = gateway.post(f"{PATH}/{endpoint}/ping")
        deadline = time.monotonic() + wait
        found = gateway.get(f"{PATH}/{endpoint}/deliveries/{sent['id']}")
        while not found["tried"] and time.monotonic() < deadline:
            time.sleep(POLL_SECONDS)
            found = gateway.get(f"{PATH}/{endpoint}/deliveries/{sent['id']}")
    if output.is_for_programs:
        print_as(output, found)
    if not found["tried"]:
        raise CommandFailed(
            "the ping was not sent yet", hint="does a campaigns worker run, and is the endpoint paused?"
        )
    if found["state"] != "delivered":
        raise CommandFailed(f"the ping was not taken: {found['error']}")
    if output is OutputFormat.TABLE:
        say(f"the ping was taken after {found['tried'][-1]['duration_ms']} ms")


def deliveries(
    endpoint: Endpoint,
    state: Annotated[
        str | None, typer.Option(help="Only those that are waiting, delivered or dead.", show_default=False)
    ] = None,
    event: Annotated[
        str | None, typer.Option("--event", "-e", metavar="EVENT", help="Only of this event.", show_default=False)
    ] = None,
    limit: Annotated[int, typer.Option(min=1, help="How many at most.")] = 50,
    output: Output = OutputFormat.TABLE,
) -> None:
    """List what was sent to an endpoint, newest first."""
    with open_gateway() as gateway:
        found = list(gateway.items(f"{PATH}/{endpoint}/deliveries", limit=limit, state=state, type=event))
    if output.is_for_programs:
        print_as(output, found)
        return
    print_rows(
        ("delivery", "event", "state", "attempts", "created", "next attempt", "error"),
        (
            (
                each["id"],
                each["type"],
                each["state"],
                each["attempts"],
                moment(each["created_at"]),
                moment(each["due_at"]) if each["state"] == "waiting" else "",
                each["error"],
            )
            for each in found
        ),
    )


def delivery(endpoint: Endpoint, message: Delivery, output: Output = OutputFormat.TABLE) -> None:
    """Show a message, its content, and each attempt to deliver it."""
    with open_gateway() as gateway:
        found = gateway.get(f"{PATH}/{endpoint}/deliveries/{message}")
    if output.is_for_programs:
        print_as(output, found)
        return
    print_facts(
        (
            ("delivery", found["id"]),
            ("event", found["type"]),
            ("state", found["state"]),
            ("next attempt", moment(found["due_at"]) if found["state"] == "waiting" else ""),
            ("content", json.dumps(found["content"], ensure_ascii=False)),
        )
    )
    print_rows(
        ("attempt", "status", "ms", "error", "answer"),
        (
            (moment(each["attempted_at"]), each["status"], each["duration_ms"], each["error"], each["response"])
            for each in found["tried"]
        ),
    )


def redeliver(
    endpoint: Endpoint,
    message: Annotated[str | None, typer.Argument(metavar="[DELIVERY]", help="One message.")] = None,
    all_dead: Annotated[bool, typer.Option("--all-dead", help="All that were given up.")] = False,
    output: Output = OutputFormat.TABLE,
) -> None:
    """Send a message again, or all that were given up, under the same ids."""
    if (message is None) is not all_dead:
        raise CommandFailed("name one delivery, or --all-dead", exit_code=ExitCode.BAD_INPUT)
    with open_gateway() as gateway:
        way = "redeliver-dead" if all_dead else f"deliveries/{message}/redeliver"
        found: dict[str, Any] = gateway.post(f"{PATH}/{endpoint}/{way}")
    if output.is_for_programs:
        print_as(output, found)
    else:
        say(f"{found['messages']} messages are sent again" if all_dead else f"{message} is sent again")


def endpoint_state(endpoint: dict[str, Any]) -> str:
    """What an endpoint is doing, in a few words."""
    if endpoint["disabled_at"]:
        return f"disabled: {endpoint['disabled_reason']}"
    if endpoint["paused_at"]:
        return f"paused since {moment(endpoint['paused_at'])}"
    if endpoint["held_until"]:
        return f"left alone until {moment(endpoint['held_until'])}, after {endpoint['failures']} failures"
    return "active"
