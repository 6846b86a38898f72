"""`octobatch audit`: who wrote what, from where and with which result, and what operators did."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from shared.domain.audit import AuditPart
from shared.domain.operation import Service

from .client import open_gateway
from .output import Output, OutputFormat, moment, print_as, print_rows
from .times import TIME_HELP, parse_moment


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command(epilog="Example: octobatch audit --actor key:ci --resource campaigns/rename-ci --since 7d")(audit)


def audit(
    actor: Annotated[str | None, typer.Option(metavar="WHO", help="As key:ci.", show_default=False)] = None,
    resource: Annotated[
        str | None,
        typer.Option(metavar="WHAT", help="As campaigns/rename-ci; campaigns is each of them.", show_default=False),
    ] = None,
    address: Annotated[str | None, typer.Option(help="Only writes from there.", show_default=False)] = None,
    part: Annotated[
        AuditPart | None, typer.Option(help="Writes, or operators' acts; else both.", show_default=False)
    ] = None,
    service: Annotated[
        Service | None, typer.Option(help="Only acts on the stream of that service.", show_default=False)
    ] = None,
    since: Annotated[str | None, typer.Option(help=f"At that time or later; {TIME_HELP}.", show_default=False)] = None,
    until: Annotated[str | None, typer.Option(help="Before that time.", show_default=False)] = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many.")] = 50,
    output: Output = OutputFormat.TABLE,
) -> None:
    """List who wrote what, from where and with which result, and what operators did, newest first."""
    with open_gateway() as gateway:
        found = list(
            gateway.items(
                "/audit",
                limit=limit,
                part=part.value if part else None,
                service=service.value if service else None,
                actor=actor,
                resource=resource,
                address=address,
                since=parse_moment(since).isoformat() if since else None,
                until=parse_moment(until).isoformat() if until else None,
            )
        )
    if output.is_for_programs:
        print_as(output, found)
        return
    print_rows(
        ("at", "actor", "what", "resource", "status", "address", "request"),
        (
            (
                moment(each["at"]),
                each["actor"],
                _what(each),
                each["resource"] or each["service"],
                each["status"] and str(each["status"]),
                each["address"],
                each["request_id"],
            )
            for each in found
        ),
    )


def _what(entry: dict[str, Any]) -> str:
    return f"{entry['method']} {entry['route']}" if entry["method"] else entry["action"]
