"""`octobatch keys`: API keys, made, listed, rotated and revoked."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from shared.domain.roles import ALL_NAMESPACES, KeyScope, Role

from .asking import ask
from .client import Gateway, open_gateway
from .failures import CommandFailed, ExitCode
from .naming import is_id
from .output import Output, OutputFormat, moment, print_as, print_facts, print_rows, print_text, say
from .times import parse_age

PATH = "/api-keys"

app = typer.Typer(
    help="API keys: make, list, rotate and revoke them.",
    no_args_is_help=True,
    epilog="Examples: octobatch keys create ci --grant author:payments --expires 90d · octobatch keys rotate ci",
)

Key = Annotated[
    str, typer.Argument(metavar="KEY", help="The key's id, or its name where one key that is valid has it.")
]
Expires = Annotated[
    str | None,
    typer.Option("--expires", metavar="AGE", help="How long it is valid: 12h, 90d.", show_default=False),
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]


@app.command(epilog="Example: octobatch keys create ci --grant author:payments --scope read --scope write > key")
def create(
    name: Annotated[str, typer.Argument(metavar="NAME", help="How its owner is known in operations and audit.")],
    grant: Annotated[
        list[str] | None,
        typer.Option(
            "--grant",
            metavar="ROLE[:NAMESPACE]",
            help="viewer, author, operator or admin, of a namespace or of all; may be repeated.",
            show_default=False,
        ),
    ] = None,
    scope: Annotated[
        list[KeyScope] | None,
        typer.Option("--scope", help="What it is for; may be repeated. Default: everything.", show_default=False),
    ] = None,
    expires: Expires = None,
    output: Output = OutputFormat.TABLE,
) -> None:
    """Make a key and print it; it is shown this once. Without --grant it asks for installation tokens alone."""
    body: dict[str, Any] = {"name": name, "grants": [grant_of(each) for each in grant or ()]}
    if scope:
        body["scopes"] = [each.value for each in scope]
    if expires:
        body["expires_at"] = _after(expires)
    with open_gateway() as gateway:
        _print_secret(gateway.post(PATH, body), output)


def grant_of(text: str) -> dict[str, str]:
    """`author:payments`, or `admin` for all namespaces; raises `CommandFailed`."""
    role, _, namespace = text.partition(":")
    if role not in tuple(Role):
        raise CommandFailed(
            f"--grant {text}: there is no role {role!r}",
            exit_code=ExitCode.BAD_INPUT,
            hint=f"write ROLE or ROLE:NAMESPACE; roles: {', '.join(Role)}",
        )
    return {"role": role, "namespace": namespace or ALL_NAMESPACES}


def _after(age: str) -> str:
    return (datetime.now(UTC) + parse_age(age)).isoformat()


@app.command("list")
def list_keys(
    limit: Annotated[int, typer.Option(min=1, help="At most so many, newest first.")] = 50,
    output: Output = OutputFormat.TABLE,
) -> None:
    """List keys, those that have ended too; no secret is shown."""
    with open_gateway() as gateway:
        found = list(gateway.items(PATH, limit=limit))
    if output.is_for_programs:
        print_as(output, found)
        return
    print_rows(
        ("key", "name", "begins with", "roles", "scopes", "state", "last used"),
        (
            (
                each["id"],
                each["name"],
                f"obk_{each['prefix']}",
                ", ".join(f"{grant['role']} of {grant['namespace']}" for grant in each["grants"]) or "none",
                ", ".join(each["scopes"]),
                state_of(each, datetime.now(UTC)),
                moment(each["last_used_at"]) or "never",
            )
            for each in found
        ),
    )


def state_of(key: dict[str, Any], now: datetime) -> str:
    """Whether a key is valid, and until when."""
    if key["revoked_at"]:
        return f"revoked {moment(key['revoked_at'])}"
    if key["expires_at"] is None:
        return "valid"
    ended = datetime.fromisoformat(key["expires_at"]) <= now
    return f"{'expired' if ended else 'valid until'} {moment(key['expires_at'])}"


@app.command()
def show(key: Key, output: Output = OutputFormat.TABLE) -> None:
    """Show a key, without its secret."""
    with open_gateway() as gateway:
        found = gateway.get(f"{PATH}/{_find(gateway, key)['id']}")
    if output.is_for_programs:
        print_as(output, found)
        return
    print_facts(
        (
            ("key", found["id"]),
            ("name", found["name"]),
            ("begins with", f"obk_{found['prefix']}"),
            ("roles", ", ".join(f"{grant['role']} of {grant['namespace']}" for grant in found["grants"]) or "none"),
            ("scopes", ", ".join(found["scopes"])),
            ("state", state_of(found, datetime.now(UTC))),
            ("created", f"{moment(found['created_at'])} by {found['created_by']}"),
            ("last used", moment(found["last_used_at"]) or "never"),
            ("replaces", found["rotated_from"]),
        )
    )


@app.command(epilog="Example: octobatch keys rotate ci --grace 1d > key")
def rotate(
    key: Key,
    grace: Annotated[str, typer.Option(metavar="AGE", help="How long the old one is valid still.")] = "1h",
    expires: Expires = None,
    output: Output = OutputFormat.TABLE,
) -> None:
    """Make another key of the same name, roles and scopes, and print it. The old one ends after a while."""
    body: dict[str, Any] = {"grace_seconds": int(parse_age(grace).total_seconds())}
    if expires:
        body["expires_at"] = _after(expires)
    with open_gateway() as gateway:
        _print_secret(gateway.post(f"{PATH}/{_find(gateway, key)['id']}/rotate", body), output)


@app.command()
def revoke(key: Key, yes: Yes = False) -> None:
    """Revoke a key: it opens nothing any more. Asks first."""
    with open_gateway() as gateway:
        found = _find(gateway, key)
        ask(f"Revoke the key {found['name']} (obk_{found['prefix']}…)?", yes=yes, hint="run it with --yes to do it")
        gateway.delete(f"{PATH}/{found['id']}")
    say(f"revoked {found['name']} (obk_{found['prefix']}…)")


def _find(gateway: Gateway, name: str) -> dict[str, Any]:
    """The key that is meant; raises `CommandFailed` where none is, or more than one."""
    if is_id(name):
        return gateway.get(f"{PATH}/{name}")
    now = datetime.now(UTC)
    named = [each for each in gateway.items(PATH) if each["name"] == name and state_of(each, now).startswith("valid")]
    if len(named) != 1:
        what = f"{len(named)} valid keys are called {name}" if named else f"there is no valid key {name}"
        hint = f"say which by its id: {', '.join(each['id'] for each in named)}" if named else "octobatch keys list"
        raise CommandFailed(what, exit_code=ExitCode.BAD_INPUT, hint=hint)
    return named[0]


def _print_secret(made: dict[str, Any], output: OutputFormat) -> None:
    if output.is_for_programs:
        print_as(output, made)
        return
    key = made["api_key"]
    say(f"the key {key['name']} ({key['id']}) is {state_of(key, datetime.now(UTC))}; it is shown this once:")
    print_text(f"{made['secret']}\n")
