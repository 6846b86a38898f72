"""`octobatch token`: a token for one installation; and the group `octobatch tokens`."""

from __future__ import annotations

from typing import Annotated

import typer

from . import token_scopes
from .client import open_gateway
from .naming import Installation, find_installation
from .output import Output, OutputFormat, moment, print_as, print_text, say
from .scopes import PermissionOption, RepositoryOption, permissions_line, permissions_of
from .times import parse_age

tokens = typer.Typer(
    help="Tokens that live: who holds them, ending them, their audit; and what a scope would give.",
    no_args_is_help=True,
)


def register(app: typer.Typer) -> None:
    """Adds the commands to `octobatch`."""
    app.command(epilog="Example: git clone https://x-access-token:$(octobatch token 12)@github.example/acme/api")(token)
    token_scopes.register(tokens)
    app.add_typer(tokens, name="tokens")


def token(
    installation: Installation,
    permission: PermissionOption = None,
    repository: RepositoryOption = None,
    min_ttl: Annotated[
        str | None, typer.Option("--min-ttl", metavar="AGE", help="It must live so long: 10m.", show_default=False)
    ] = None,
    purpose: Annotated[str, typer.Option(help="Kept in the audit.")] = "",
    output: Output = OutputFormat.TABLE,
) -> None:
    """Print an installation token, good for an hour at most. It is a secret: nothing else ever prints one.

    Without --permission it has all that a trust policy allows you.
    """
    wanted = {
        "permissions": permissions_of(permission or []),
        "repositories": repository or [],
        "min_ttl": int(parse_age(min_ttl).total_seconds()) if min_ttl else 0,
        "purpose": purpose,
    }
    with open_gateway() as gateway:
        found = gateway.post(f"/tokens/installations/{find_installation(gateway, installation)}", wanted)
    if output.is_for_programs:
        print_as(output, found)
        return
    say(f"expires {moment(found['expires_at'])}; {permissions_line(found['permissions'])}")
    print_text(f"{found['token']}\n")
