"""`octobatch tokens dry-run`: what a token of some scope would give, and who must approve what is missing."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from .client import open_gateway
from .failures import CommandFailed, ExitCode
from .output import Output, OutputFormat, print_facts, print_json, print_rows


def register(tokens: typer.Typer) -> None:
    """Adds the command to `octobatch tokens`."""
    tokens.command(
        "dry-run", epilog="Example: octobatch tokens dry-run 12 --permission contents=write --repository api --probe"
    )(dry_run)


def dry_run(
    installation: Annotated[int, typer.Argument(metavar="INSTALLATION", help="The installation's number.")],
    permission: Annotated[
        list[str] | None,
        typer.Option(
            "--permission",
            "-p",
            metavar="RESOURCE=LEVEL",
            help="Again for more; none: all you may have.",
            show_default=False,
        ),
    ] = None,
    repository: Annotated[
        list[str] | None,
        typer.Option("--repository", "-r", metavar="NAME", help="Again for more; none: all.", show_default=False),
    ] = None,
    probe: Annotated[bool, typer.Option("--probe", help="Mint such a token at GitHub, and revoke it at once.")] = False,
    output: Output = OutputFormat.TABLE,
) -> None:
    """Ask what a token would give without using it. Exits with 1 where it would not be given."""
    body = {
        "permissions": dict(_pair(each) for each in permission or ()),
        "repositories": repository or [],
        "probe": probe,
    }
    with open_gateway() as gateway:
        report = gateway.post(f"/tokens/installations/{installation}/dry-run", body)
    if output is OutputFormat.JSON:
        print_json(report)
    else:
        _print(report)
    if not report["allowed"]:
        raise typer.Exit(ExitCode.FAILED)


def _print(report: dict[str, Any]) -> None:
    print_facts(
        (
            ("allowed", "yes" if report["allowed"] else "no"),
            ("permissions", _listed(report["permissions"])),
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
    given = f"GitHub gave {_listed(probe['permissions'])}, and the token is revoked" if probe["minted"] else ""
    return "; ".join(filter(None, [given, probe["detail"]]))


def _listed(permissions: dict[str, str]) -> str:
    return ", ".join(f"{resource}: {level}" for resource, level in sorted(permissions.items()))


def _pair(text: str) -> tuple[str, str]:
    resource, equals, level = text.partition("=")
    if not resource or not equals or not level:
        hint = "write RESOURCE=LEVEL, such as contents=write; levels are read, write and admin"
        raise CommandFailed(f"{text!r} is not a permission", exit_code=ExitCode.BAD_INPUT, hint=hint)
    return resource, level
