"""`octobatch selections owners`: who owns the repositories of a selection."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from .client import Gateway, open_gateway
from .naming import SelectionArgument, find_selection
from .operations import wait_for
from .output import Output, OutputFormat, print_as, print_facts, print_rows, say


def owners(
    selection: SelectionArgument,
    resolve: Annotated[
        bool, typer.Option("--resolve", help="Ask GitHub for the CODEOWNERS files first, and wait for it.")
    ] = False,
    path: Annotated[str | None, typer.Option(help="Who owns this path, such as go.mod.", show_default=False)] = None,
    summary: Annotated[bool, typer.Option("--summary", help="Count repositories by owner.")] = False,
    output: Output = OutputFormat.TABLE,
) -> None:
    """Show who owns the repositories that are in, by their CODEOWNERS files."""
    with open_gateway() as gateway:
        address = f"/selections/{find_selection(gateway, selection)['id']}/owners"
        if resolve:
            wait_for(gateway, gateway.post(address))
        found: Any = gateway.get(f"{address}/summary") if summary else _owned(gateway, address, path)
        if not found:
            _say_unresolved(gateway, address, selection)
    if output.is_for_programs:
        print_as(output, found)
    elif summary:
        _print_summary(found)
    else:
        print_rows(
            ("repository", "branch", "owners", "CODEOWNERS", "problems"),
            (
                (
                    each["repository"],
                    each["branch"],
                    _names(each["owners"]),
                    each["path"],
                    "; ".join(each["problems"]),
                )
                for each in found
            ),
        )


def _owned(gateway: Gateway, address: str, path: str | None) -> list[dict[str, Any]]:
    return list(gateway.items(address, file=path))


def _say_unresolved(gateway: Gateway, address: str, selection: str) -> None:
    if not gateway.get(f"{address}/summary")["resolved"]:
        say(f"nobody looked for owners yet: octobatch selections owners {selection} --resolve")


def _print_summary(found: dict[str, Any]) -> None:
    print_facts((("repositories", found["resolved"]), ("without an owner", found["unowned"])))
    members = {each["slug"]: each for each in found["teams"]}
    print_rows(
        ("owner", "kind", "repositories", "members"),
        (
            (
                each["owner"]["name"],
                each["owner"]["kind"],
                each["repositories"],
                _members(members.get(each["owner"]["name"].lower())),
            )
            for each in found["owners"]
        ),
    )


def _members(team: dict[str, Any] | None) -> str:
    if team is None:
        return ""
    return "no such team" if team["is_missing"] else ", ".join(team["members"])


def _names(owners: list[dict[str, Any]]) -> str:
    return ", ".join(each["name"] for each in owners)
