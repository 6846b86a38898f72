"""`octobatch artifacts`: what is stored of a target, listed or saved."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from .client import Gateway, open_gateway
from .naming import RunOption, TargetArgument, find_target
from .output import Output, OutputFormat, moment, print_as, print_rows, say


def register(app: typer.Typer) -> None:
    """Adds the command to `octobatch`."""
    app.command(epilog="Example: octobatch artifacts acme/api --save api-change")(artifacts)


def artifacts(
    target: TargetArgument,
    run: RunOption = None,
    save: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Save them there, each under its kind.", show_default=False)
    ] = None,
    output: Output = OutputFormat.TABLE,
) -> None:
    """List what is stored of a target: log, patch, diff and change, with their sizes and SHA-256."""
    with open_gateway() as gateway:
        found = find_target(gateway, target, run)
        stored = gateway.short_list(f"/targets/{found['id']}/artifacts")
        if save:
            _save(gateway, found["id"], stored, save)
    if output.is_for_programs:
        print_as(output, stored, name="kind")
        return
    print_rows(
        ("kind", "bytes", "sha256", "created"),
        ((each["kind"], each["size_bytes"], each["sha256"], moment(each["created_at"])) for each in stored),
    )


def _save(gateway: Gateway, target_id: str, stored: list[dict[str, Any]], folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for each in stored:
        path = folder / (f"{each['kind']}.json" if each["kind"] == "change" else f"target.{each['kind']}")
        with path.open("wb") as file:
            file.writelines(gateway.pieces(f"/targets/{target_id}/artifacts/{each['kind']}/download"))
        say(f"saved {path}")
