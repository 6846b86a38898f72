"""`octobatch webhooks`: addresses that are told of what happens."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from . import webhook_deliveries
from .asking import ask
from .client import open_gateway
from .output import Output, OutputFormat, moment, print_as, print_facts, print_rows, say
from .webhook_deliveries import PATH, Endpoint, endpoint_state

app = typer.Typer(help="Have addresses told of what happens, by signed webhooks.", no_args_is_help=True)

EVENT_HELP = "What to tell of: '*', 'target.*', run.completed and the like; give it once for each."
Events = Annotated[list[str], typer.Option("--event", "-e", metavar="EVENT", help=EVENT_HELP, show_default=False)]


@app.command(epilog="Example: octobatch webhooks create https://hooks.acme.example/o -e 'run.*' -e target.merged")
def create(
    url: Annotated[str, typer.Argument(metavar="URL", help="https://…, reached over the public internet.")],
    event: Events,
    campaign: Annotated[
        str | None, typer.Option(metavar="NAME", help="Tell of this campaign's runs alone.", show_default=False)
    ] = None,
    description: Annotated[str, typer.Option(metavar="TEXT", help="What it is for.", show_default=False)] = "",
    output: Output = OutputFormat.TABLE,
) -> None:
    """Tell URL of what happens from now on. Prints the secret that its messages are signed with."""
    body = {"url": url, "events": event, "campaign": campaign, "description": description}
    with open_gateway() as gateway:
        _print_with_secret(gateway.post(PATH, body), output)


@app.command("list")
def list_(output: Output = OutputFormat.TABLE) -> None:
    """List the endpoints."""
    with open_gateway() as gateway:
        found = list(gateway.items(PATH))
    if output.is_for_programs:
        print_as(output, found)
        return
    print_rows(
        ("endpoint", "url", "events", "campaign", "state", "description"),
        (
            (
                each["id"],
                each["url"],
                ", ".join(each["events"]),
                each["campaign"] or "all",
                endpoint_state(each),
                each["description"],
            )
            for each in found
        ),
    )


@app.command()
def show(endpoint: Endpoint, output: Output = OutputFormat.TABLE) -> None:
    """Show an endpoint."""
    with open_gateway() as gateway:
        _print(gateway.get(f"{PATH}/{endpoint}"), output)


@app.command(epilog="Example: octobatch webhooks update 019ca8b5-70c0-7d02-9a31-6f708192a3b4 -e '*'")
def update(
    endpoint: Endpoint,
    url: Annotated[str | None, typer.Option(metavar="URL", help="The address.", show_default=False)] = None,
    event: Annotated[
        list[str] | None, typer.Option("--event", "-e", metavar="EVENT", help=EVENT_HELP, show_default=False)
    ] = None,
    description: Annotated[str | None, typer.Option(metavar="TEXT", show_default=False)] = None,
    output: Output = OutputFormat.TABLE,
) -> None:
    """Change what is given; what waits for the endpoint goes to its new address."""
    body = {"url": url, "events": event or None, "description": description}
    with open_gateway() as gateway:
        _print(gateway.patch(f"{PATH}/{endpoint}", body), output)


@app.command()
def pause(endpoint: Endpoint, output: Output = OutputFormat.TABLE) -> None:
    """Have its messages wait; none is lost."""
    with open_gateway() as gateway:
        _print(gateway.post(f"{PATH}/{endpoint}/pause"), output)


@app.command()
def resume(endpoint: Endpoint, output: Output = OutputFormat.TABLE) -> None:
    """Go on with an endpoint that is paused or disabled."""
    with open_gateway() as gateway:
        _print(gateway.post(f"{PATH}/{endpoint}/resume"), output)


@app.command()
def delete(endpoint: Endpoint, yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False) -> None:
    """Delete an endpoint, what waits for it, and the log of what was sent to it. Asks first."""
    with open_gateway() as gateway:
        url = gateway.get(f"{PATH}/{endpoint}")["url"]
        ask(f"Delete the webhook endpoint {url}?", yes=yes, hint="run it with --yes to do it")
        gateway.delete(f"{PATH}/{endpoint}")
    say(f"deleted {url}")


@app.command()
def secret(endpoint: Endpoint, output: Output = OutputFormat.TABLE) -> None:
    """Print the secret that its messages are signed with; the audit tells that it was shown."""
    with open_gateway() as gateway:
        found = gateway.get(f"{PATH}/{endpoint}/secret")
    if output.is_for_programs:
        print_as(output, found)
    else:
        print_facts([("secret", found["secret"])])


@app.command("rotate-secret")
def rotate_secret(endpoint: Endpoint, output: Output = OutputFormat.TABLE) -> None:
    """Give it another secret. For a day messages are signed with the one before too."""
    with open_gateway() as gateway:
        _print_with_secret(gateway.post(f"{PATH}/{endpoint}/rotate-secret"), output)


def _print(endpoint: dict[str, Any], output: OutputFormat, *, secret: str | None = None) -> None:
    if output.is_for_programs:
        print_as(output, endpoint)
        return
    print_facts(
        (
            ("endpoint", endpoint["id"]),
            ("url", endpoint["url"]),
            ("description", endpoint["description"]),
            ("events", ", ".join(endpoint["events"])),
            ("campaign", endpoint["campaign"] or "all"),
            ("state", endpoint_state(endpoint)),
            ("secret", secret),
            ("secret rotated", moment(endpoint["rotated_at"])),
            ("created", f"{moment(endpoint['created_at'])} by {endpoint['created_by']}"),
        )
    )


def _print_with_secret(made: dict[str, Any], output: OutputFormat) -> None:
    if output.is_for_programs:
        print_as(output, made)
    else:
        _print(made["endpoint"], output, secret=made["secret"])


webhook_deliveries.register(app)
