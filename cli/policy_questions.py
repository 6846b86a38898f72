"""`octobatch policies test`: whether a token would be given, and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from shared.domain.permissions import Level, Permissions, describe_permissions, parse_permissions
from shared.domain.policy import TrustPolicy, Wanted, decide
from shared.domain.principal import Principal, PrincipalKind

from .client import open_gateway
from .failures import CommandFailed, ExitCode
from .output import Output, OutputFormat, print_as, print_facts, print_rows
from .policy_files import FILE_HELP, read_policies
from .scopes import permissions_of


def register(app: typer.Typer) -> None:
    """Adds the command to `octobatch policies`."""
    app.command("test", epilog=EXAMPLES)(ask_whether)


EXAMPLES = (
    "Examples: octobatch policies test --api-key ci-1 --installation acme --repository acme/svc-a "
    "--permission contents=write · octobatch policies test -f policies.yaml --issuer URL --subject SUBJECT "
    "--claim repository_owner=acme --installation acme"
)


def ask_whether(
    installation: Annotated[
        str, typer.Option("--installation", metavar="ACCOUNT", help="Login of its account.", show_default=False)
    ],
    api_key: Annotated[str | None, typer.Option(metavar="NAME", help="An API key's name.", show_default=False)] = None,
    issuer: Annotated[
        str | None, typer.Option(metavar="URL", help="An OIDC token's issuer.", show_default=False)
    ] = None,
    subject: Annotated[str | None, typer.Option(metavar="TEXT", help="Its subject.", show_default=False)] = None,
    claim: Annotated[
        list[str] | None, typer.Option(metavar="NAME=VALUE", help="A claim of it, such as aud; may be repeated.")
    ] = None,
    repository: Annotated[
        list[str] | None,
        typer.Option(metavar="OWNER/NAME", help="May be repeated; none = all of the installation."),
    ] = None,
    permission: Annotated[
        list[str] | None,
        typer.Option(metavar="RESOURCE=LEVEL", help="May be repeated; none = all that the principal may have."),
    ] = None,
    file: Annotated[
        Path | None,
        typer.Option("--file", "-f", metavar="FILE", help=f"Decide by this alone, without a gateway. {FILE_HELP}"),
    ] = None,
    output: Output = OutputFormat.TABLE,
) -> None:
    """Say whether a token would be given, and why, policy by policy. Exit code 0 where it would, 5 where it would not.

    With -f the installation is taken to grant everything.
    """
    principal = _principal(api_key, issuer, subject, _claims(claim or []))
    permissions = permissions_of(permission or [])
    if file:
        policies = read_policies(file)[1]
        wanted = Wanted(
            account=installation,
            granted=_everything(policies, permissions),
            repositories=tuple(repository or ()),
            permissions=permissions,
        )
        decision = asdict(decide(policies, principal, wanted))
    else:
        decision = _ask_gateway(principal, installation, repository or [], permissions)
    _print_decision(decision, output)
    if not decision["allowed"]:
        raise typer.Exit(ExitCode.REFUSED)


def _ask_gateway(
    principal: Principal, account: str, repositories: Sequence[str], permissions: Permissions
) -> dict[str, Any]:
    who = (
        {"api_key": principal.name}
        if principal.kind is PrincipalKind.KEY
        else {"issuer": principal.issuer, "subject": principal.name, "claims": dict(principal.claims)}
    )
    question = {"account": account, "repositories": list(repositories), "permissions": dict(permissions)}
    with open_gateway() as gateway:
        return gateway.post("/policies/test", {"principal": who, **question})


def _print_decision(decision: dict[str, Any], output: OutputFormat) -> None:
    if output.is_for_programs:
        print_as(output, decision)
        return
    permissions = parse_permissions(decision["permissions"])
    print_facts(
        (
            ("decision", "allowed" if decision["allowed"] else "refused"),
            ("by policy", decision["policy"]),
            ("token", describe_permissions(permissions) if permissions else None),
            ("reason", decision["reason"]),
        )
    )
    print_rows(
        ("policy", "verdict", "why"),
        ((each["policy"], str(each["verdict"]).replace("_", " "), each["reason"]) for each in decision["considered"]),
    )


def _principal(api_key: str | None, issuer: str | None, subject: str | None, claims: dict[str, str]) -> Principal:
    if api_key and not (issuer or subject or claims):
        return Principal(name=api_key)
    if issuer and subject and not api_key:
        return Principal(kind=PrincipalKind.OIDC, name=subject, issuer=issuer, claims=claims)
    raise CommandFailed("say --api-key, or --issuer and --subject", exit_code=ExitCode.BAD_INPUT)


def _claims(texts: Sequence[str]) -> dict[str, str]:
    claims: dict[str, str] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not name or not equals:
            raise CommandFailed(f"--claim {text}: write NAME=VALUE", exit_code=ExitCode.BAD_INPUT)
        claims[name] = value
    return claims


def _everything(policies: Sequence[TrustPolicy], permissions: Permissions) -> dict[str, Level]:
    """Grants that bound nothing which the policies or the request speak of."""
    resources = {resource for policy in policies for resource in policy.ceiling} | permissions.keys()
    return dict.fromkeys(sorted(resources), Level.ADMIN)
