"""`octobatch tokens dry-run`: what a token of some scope would give, and who must approve what is missing."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from .client import open_gateway
from .failures import ExitCode
from .naming import Installation, find_installation
from .output import Output, OutputFormat, print_as, print_facts, print_rows
from .scopes import PermissionOption, RepositoryOption, permissions_line, permissions_of


def register(tokens: typer.Typer) -> None:
    """Adds the command to `octobatch tokens`."""
    tokens.command(
        "dry-run", epilog="Example: octobatch tokens dry-run 12 --permission contents=write --repository api --probe"
    )(dry_run)


def dry_run(
    installation: Installation,
    permission: PermissionOption = None,
    repository: RepositoryOption = None,
    probe: Annotated[bool, typer.Option("--probe", help="Mint such a token at GitHub, and revoke it at once.")] = False,
    output: Output = OutputFormat.TABLE,
) -> None:
    """Ask what a token would give without using it. Exits with 1 where it would not be given."""
    body = {
        "permissions": permissions_of(permission or []),
        "repositories": repository or [],
        "probe": probe,
    }
    with open_gateway() as gateway:
        report = gateway.post(f"/tokens/installations/{find_installation(gateway, installation)}/dry-run", body)
    if output.is_for_programs:
        print_as(output, report)
    else:
        _print(report)
    if not report["allowed"]:
        raise typer.Exit(ExitCode.FAILED)


def _print(report: dict[str, Any]) -> None:
    print_facts(
        (
            ("allowed", "yes" if report["allowed"] else "no"),
            ("permissions", permissions_line(report["permissions"])),
            ("repositories", ", ".join(report["repositories"])),
            ("policy", report["policy"]),
            ("policies say", report["policy_reason"]),
            ("probe", _probe_text(report["probe"])),
        )
    )
    if report["missing"]:
        print_rows(
            ("missing", "wanted", "granted", "lacking", "approval", "where"),
            (
                (each["name"], each["wanted"], each["granted"], each["lacking"], each["approval"], each["address"])
                for each in report["missing"]
            ),
        )


def _probe_text(probe: dict[str, Any] | None) -> str | None:
    if probe is None:
        return None
    given = f"GitHub gave {permissions_line(probe['permissions'])}, and the token is revoked" if probe["minted"] else ""
    return "; ".join(filter(None, [given, probe["detail"]]))
