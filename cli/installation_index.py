"""`octobatch installations index`: how current the indexes are that answer listings."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from .client import open_gateway
from .completion import complete_installations
from .failures import CommandFailed, ExitCode
from .naming import find_installation
from .operations import wait_for
from .output import Output, OutputFormat, moment, print_as, print_facts, print_rows
from .times import seconds_text


def show_index(
    installation: Annotated[
        str | None,
        typer.Argument(
            metavar="[INSTALLATION]",
            help="The installation's number, or its account or a part of it. Default: all of them.",
            autocompletion=complete_installations,
        ),
    ] = None,
    refresh: Annotated[
        bool, typer.Option("--refresh", help="Ask GitHub for all its repositories anew first, and wait for it.")
    ] = False,
    output: Output = OutputFormat.TABLE,
) -> None:
    """Show how current the index of an installation's repositories is, which answers listings."""
    if installation is None:
        _list_all(output, is_refresh=refresh)
        return
    with open_gateway() as gateway:
        address = f"/installations/{find_installation(gateway, installation)}/index"
        if refresh:
            wait_for(gateway, gateway.post(address))
        found = gateway.get(address)
    if output.is_for_programs:
        print_as(output, found, name="installation_id")
        return
    print_facts(
        (
            ("account", found["account"]),
            ("repositories", found["repositories"]),
            ("current at", moment(found["swept_at"])),
            ("age", _age(found)),
            ("listed in full", moment(found["completed_at"])),
            ("listing since", moment(found["listing_since"])),
            ("error", found["error"]),
        )
    )


def _list_all(output: OutputFormat, *, is_refresh: bool) -> None:
    if is_refresh:
        raise CommandFailed(
            "--refresh needs an installation", exit_code=ExitCode.BAD_INPUT, hint="octobatch installations"
        )
    with open_gateway() as gateway:
        found = gateway.short_list("/installations/indexes")
    if output.is_for_programs:
        print_as(output, found, name="installation_id")
        return
    print_rows(
        ("installation", "account", "repositories", "age", "listed in full", "error"),
        (
            (
                str(each["installation_id"]),
                each["account"],
                each["repositories"],
                _age(each),
                moment(each["completed_at"]),
                each["error"],
            )
            for each in found
        ),
    )


def _age(index: dict[str, Any]) -> str:
    return "" if index["age_seconds"] is None else seconds_text(index["age_seconds"])
