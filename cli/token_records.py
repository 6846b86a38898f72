"""`octobatch tokens list`, `revoke` and `audit`: who holds which tokens, and ending them."""

from __future__ import annotations

import time
from typing import Annotated, Any

import typer

from shared.domain.token import AuditKind

from .asking import ask
from .client import Gateway, open_gateway
from .failures import CommandFailed, ExitCode
from .output import Output, OutputFormat, messages, moment, print_as, print_facts, print_rows, say
from .scopes import permissions_line
from .times import TIME_HELP, parse_moment
from .tokens import tokens

WAIT_SECONDS = 0.5

InstallationOption = Annotated[
    int | None, typer.Option("--installation", metavar="ID", help="Only of this installation.", show_default=False)
]
RunOption = Annotated[str | None, typer.Option("--run", metavar="ID", help="Only of this run.", show_default=False)]
Limit = Annotated[int, typer.Option(min=1, help="At most so many.")]


def register(_: typer.Typer) -> None:
    """Adds the commands to `octobatch tokens`."""
    tokens.command("list")(list_tokens)
    tokens.command(epilog="Example, in an incident: octobatch tokens revoke --all-of 12 --reason 'laptop stolen'")(
        revoke
    )
    tokens.command(epilog="Example: octobatch tokens audit --kind refusal --since 1d")(audit)


def list_tokens(
    installation: InstallationOption = None,
    run: RunOption = None,
    limit: Limit = 50,
    output: Output = OutputFormat.TABLE,
) -> None:
    """List the tokens that live, by their SHA-256, with who holds them. No token is shown."""
    with open_gateway() as gateway:
        found = list(gateway.items("/tokens", limit=limit, installation_id=installation, run_id=run))
    if output.is_for_programs:
        print_as(output, found, name="sha256")
        return
    print_rows(
        ("sha-256", "installation", "permissions", "repositories", "expires", "held by"),
        (
            (
                each["sha256"],
                str(each["installation_id"]),
                permissions_line(each["permissions"]),
                ", ".join(map(str, each["repository_ids"])) or "all",
                moment(each["expires_at"]),
                ", ".join(each["holders"]),
            )
            for each in found
        ),
    )


def revoke(
    token: Annotated[
        str | None, typer.Argument(metavar="[SHA256]", help="This token, by its SHA-256.", show_default=False)
    ] = None,
    all_of: Annotated[
        int | None,
        typer.Option("--all-of", metavar="INSTALLATION", help="All tokens of an installation.", show_default=False),
    ] = None,
    run: Annotated[
        str | None, typer.Option("--run", metavar="ID", help="All tokens of a run.", show_default=False)
    ] = None,
    include_shared: Annotated[
        bool, typer.Option("--include-shared", help="With --run: those that others hold as well, too.")
    ] = False,
    reason: Annotated[str, typer.Option(help="Kept in the audit.")] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Count, and change nothing.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    output: Output = OutputFormat.TABLE,
) -> None:
    """End tokens before their time. Nobody is given them any more, then GitHub is told. Asks first."""
    if sum(each is not None for each in (token, all_of, run)) != 1:
        raise CommandFailed("say which: a SHA256, --all-of INSTALLATION, or --run ID", exit_code=ExitCode.BAD_INPUT)
    wanted = {
        "token_sha256": token,
        "installation_id": all_of,
        "run_id": run,
        "include_shared": include_shared,
        "reason": reason,
    }
    with open_gateway() as gateway:
        done = gateway.post("/tokens/revoke", {**wanted, "dry_run": True})
        if not dry_run and done["tokens"]:
            ask(_question(done), yes=yes)
            done = gateway.post("/tokens/revoke", {**wanted, "dry_run": False})
            done |= _wait(gateway, done)
    if output.is_for_programs:
        print_as(output, done)
        return
    would = "would be " if dry_run else ""
    print_facts(
        (
            (f"{would}revoked", done.get("revoked", done["tokens"])),
            ("lost, ending by themselves", done["lost"] or None),
            ("held by", ", ".join(done["holders"])),
            ("operation", done["operation_id"]),
        )
    )


def _question(counted: dict[str, Any]) -> str:
    held = f"held by {', '.join(counted['holders'])}" if counted["holders"] else "that nobody holds"
    return f"Revoke {counted['tokens']} tokens {held}?"


def _wait(gateway: Gateway, accepted: dict[str, Any]) -> dict[str, Any]:
    """Waits until GitHub was told of all; what came of it."""
    if accepted["operation_id"] is None:
        return {}
    path = f"/operations/{accepted['operation_id']}"
    with messages().status(f"Telling GitHub of {accepted['tokens']} tokens"):
        while (operation := gateway.get(path))["state"] == "accepted":
            time.sleep(WAIT_SECONDS)
    if operation["state"] != "succeeded":
        raise CommandFailed(
            f"not all tokens could be revoked: {operation['error']}",
            exit_code=ExitCode.FAILED,
            hint="they are given to nobody any more; to end them now, suspend the installation on GitHub",
        )
    rows = list(gateway.items("/tokens/audit", operation_id=accepted["operation_id"], kind=AuditKind.REVOCATION.value))
    lost = sum(each["reason"] is not None for each in rows)
    if lost:
        say("to end lost tokens before their time, suspend the installation on GitHub")
    return {"revoked": len(rows) - lost, "lost": lost}


def audit(
    kind: Annotated[AuditKind | None, typer.Option(help="Only these.", show_default=False)] = None,
    installation: InstallationOption = None,
    run: RunOption = None,
    requested_by: Annotated[
        str | None, typer.Option("--by", metavar="WHO", help="As key:ci or service:campaigns.", show_default=False)
    ] = None,
    token: Annotated[
        str | None, typer.Option("--token", metavar="SHA256", help="Only of this token.", show_default=False)
    ] = None,
    since: Annotated[str | None, typer.Option(help=f"At that time or later; {TIME_HELP}.", show_default=False)] = None,
    limit: Limit = 50,
    output: Output = OutputFormat.TABLE,
) -> None:
    """List what was granted, refused and revoked, newest first."""
    with open_gateway() as gateway:
        found = list(
            gateway.items(
                "/tokens/audit",
                limit=limit,
                kind=kind.value if kind else None,
                installation_id=installation,
                run_id=run,
                requested_by=requested_by,
                token_sha256=token,
                since=parse_moment(since).isoformat() if since else None,
            )
        )
    if output.is_for_programs:
        print_as(output, found)
        return
    print_rows(
        ("at", "what", "installation", "requested by", "for", "permissions", "policy", "expires", "sha-256", "why"),
        (
            (
                moment(each["at"]),
                each["kind"],
                str(each["installation_id"]),
                each["requested_by"],
                each["purpose"],
                permissions_line(each["permissions"]),
                each["policy"],
                moment(each["expires_at"]),
                each["token_sha256"],
                each["reason"],
            )
            for each in found
        ),
    )
