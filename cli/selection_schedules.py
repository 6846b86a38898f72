"""`octobatch selections schedule`: selections that are made again and again."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from .asking import ask
from .client import open_gateway
from .completion import complete_schedules
from .output import Output, OutputFormat, moment, print_as, print_facts, print_rows, say
from .specs import SpecFile, read_spec

app = typer.Typer(
    help="Make selections at the times of a cron string, in UTC.",
    no_args_is_help=True,
    epilog="Example: octobatch selections schedule create mornings -f spec.yaml --cron '0 6 * * MON-FRI'",
)

Name = Annotated[
    str, typer.Argument(metavar="SCHEDULE", help="The schedule's name.", autocompletion=complete_schedules)
]
PATH = "/selection-schedules"


@app.command(epilog="Example: octobatch selections schedule create mornings -f spec.yaml --cron '0 6 * * MON-FRI'")
def create(
    name: Name,
    file: SpecFile,
    cron: Annotated[
        str,
        typer.Option("--cron", metavar="CRON", help="Minute, hour, day, month, weekday; UTC.", show_default=False),
    ],
    fresh: Annotated[bool, typer.Option("--fresh", help="Ask GitHub for everything each time.")] = False,
    output: Output = OutputFormat.TABLE,
) -> None:
    """Make a selection by FILE at each time that CRON names."""
    document, _ = read_spec(file)
    with open_gateway() as gateway:
        body = {"name": name, "document": document, "cron": cron, "fresh": fresh}
        _print(gateway.post(PATH, body), output)


@app.command("list")
def list_schedules(output: Output = OutputFormat.TABLE) -> None:
    """List the schedules, with their next times."""
    with open_gateway() as gateway:
        found = list(gateway.items(PATH))
    if output.is_for_programs:
        print_as(output, found, name="name")
        return
    print_rows(
        ("schedule", "cron", "next", "last selection"),
        (
            (
                each["name"],
                each["cron"],
                f"paused since {moment(each['paused_at'])}" if each["paused_at"] else moment(each["next_at"]),
                each["last_selection_id"],
            )
            for each in found
        ),
    )


@app.command()
def show(name: Name, output: Output = OutputFormat.TABLE) -> None:
    """Show a schedule: its spec, its times, and the last selection that it made."""
    with open_gateway() as gateway:
        found = gateway.get(f"{PATH}/{name}")
    if output.is_for_programs:
        print_as(output, found, name="name")
        return
    print_facts(
        (
            ("schedule", found["name"]),
            ("cron", found["cron"]),
            ("next", moment(found["next_at"])),
            ("paused since", moment(found["paused_at"])),
            ("fresh", "yes" if found["is_fresh"] else None),
            ("last selection", found["last_selection_id"]),
        )
    )


@app.command()
def delete(name: Name, yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False) -> None:
    """Delete a schedule; the selections that it made stay."""
    ask(f"Delete the schedule {name}?", yes=yes, hint="run it with --yes to delete it")
    with open_gateway() as gateway:
        gateway.delete(f"{PATH}/{name}")
    say(f"schedule {name} is deleted")


@app.command()
def pause(name: Name, output: Output = OutputFormat.TABLE) -> None:
    """Have nothing made until it is resumed."""
    with open_gateway() as gateway:
        _print(gateway.post(f"{PATH}/{name}/pause"), output)


@app.command()
def resume(name: Name, output: Output = OutputFormat.TABLE) -> None:
    """Go on; the times that passed meanwhile are not made up for."""
    with open_gateway() as gateway:
        _print(gateway.post(f"{PATH}/{name}/resume"), output)


def _print(schedule: dict[str, Any], output: OutputFormat) -> None:
    if output.is_for_programs:
        print_as(output, schedule, name="name")
    elif schedule["paused_at"]:
        say(f"schedule {schedule['name']} is paused")
    else:
        say(f"schedule {schedule['name']} is due next at {moment(schedule['next_at'])}")
