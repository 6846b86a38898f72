"""`octobatch token`: a token for one installation; and the group `octobatch tokens`."""

from __future__ import annotations

from typing import Annotated

import typer

from . import token_scopes
from .client import open_gateway
from .output import Output, OutputFormat, moment, print_json, print_text, say

tokens = typer.Typer(help="Ask what tokens would give.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Adds the commands to `octobatch`."""
    app.command(epilog="Example: git clone https://x-access-token:$(octobatch token 12)@github.example/acme/api")(token)
    token_scopes.register(tokens)
    app.add_typer(tokens, name="tokens")


def token(
    installation: Annotated[int, typer.Argument(metavar="INSTALLATION", help="The installation's number.")],
    output: Output = OutputFormat.TABLE,
) -> None:
    """Print an installation token, good for an hour at most. It is a secret: nothing else ever prints one."""
    with open_gateway() as gateway:
        found = gateway.get(f"/tokens/installations/{installation}")
    if output is OutputFormat.JSON:
        print_json(found)
        return
    permissions = ", ".join(f"{name}: {level}" for name, level in sorted(found["permissions"].items()))
    say(f"expires {moment(found['expires_at'])}; {permissions}")
    print_text(f"{found['token']}\n")
