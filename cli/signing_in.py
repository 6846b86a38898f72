"""`octobatch login`, `logout` and `whoami`: which gateway the command line speaks to, and as whom."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated, Any

import httpx
import typer

from .client import is_on_this_machine, open_gateway
from .connection import Connection, find_connection, stack_file
from .contexts import Context, check_name, contexts_file, load_contexts, save_contexts
from .failures import CommandFailed, ExitCode
from .invocation import complete_contexts, invocation
from .output import Output, OutputFormat, print_as, print_facts, say


def register(app: typer.Typer) -> None:
    """Adds the commands to `octobatch`."""
    app.command(
        epilog="Examples: octobatch login https://octobatch.acme.example · "
        "octobatch login octobatch.acme.example --name prod --with-key < key"
    )(login)
    app.command(epilog="Example: octobatch logout prod")(logout)
    app.command(epilog="Examples: octobatch whoami · octobatch whoami --context prod")(whoami)


def login(
    server: Annotated[
        str | None,
        typer.Argument(
            metavar="[SERVER]",
            help="The gateway's address, or a context to give another key. Default: the context in use.",
            show_default=False,
            autocompletion=complete_contexts,
        ),
    ] = None,
    name: Annotated[
        str | None,
        typer.Option(
            "--name", metavar="NAME", help="The context's name. Default: the address's host.", show_default=False
        ),
    ] = None,
    with_key: Annotated[bool, typer.Option("--with-key", help="Read the key from standard input, and ask nothing.")] = (
        False
    ),
    ca_bundle: Annotated[
        Path | None,
        typer.Option(
            "--ca-bundle",
            metavar="FILE",
            help="PEM certificates of the authority that signs for the gateway, where it is your own.",
            show_default=False,
        ),
    ] = None,
    output: Output = OutputFormat.TABLE,
) -> None:
    """Sign in to a gateway with an API key, and keep both as a context, which is the current one from then on.

    The key is tried before it is kept, in a file that nobody else may read.
    """
    contexts = load_contexts()
    known = server or invocation().context or contexts.current or ""
    if known in contexts.named:
        name, kept = name or known, contexts.named[known]
        url, ca_bundle = kept.url, ca_bundle or kept.ca_bundle
    else:
        url = address_of(known or _ask_for_server())
    name = name or _name_of(url)
    check_name(name)
    if url.startswith("http://") and not is_on_this_machine(url):
        say(f"warning: {url} is not encrypted: whoever is on the way can read the key")
    ca_bundle = ca_bundle.resolve() if ca_bundle else None
    context = Context(url=url, api_key=_key(url, is_piped=with_key), ca_bundle=ca_bundle)
    with open_gateway(Connection(url=url, api_key=context.api_key, ca_bundle=ca_bundle)) as gateway:
        me = gateway.get("/me")
    save_contexts(load_contexts().with_context(name, context))
    say(f"signed in at {url} as {me['actor']}; the key is in {contexts_file()}")
    _say_what_comes_before(name)
    if output.is_for_programs:
        print_as(output, {"context": name, "url": url, "me": me})


def address_of(server: str) -> str:
    """`octobatch.acme.example` as an address; https where nothing else is said. Raises `CommandFailed`."""
    text = server if "://" in server else f"https://{server}"
    try:
        url = httpx.URL(text)
    except httpx.InvalidURL:
        url = None
    if url is None or url.scheme not in ("http", "https") or not url.host or url.userinfo:
        raise CommandFailed(
            f"{server} is no address of a gateway",
            exit_code=ExitCode.BAD_INPUT,
            hint="as https://octobatch.acme.example",
        )
    path = url.path.partition("/ui/")[0].rstrip("/").removesuffix("/v1").removesuffix("/ui").rstrip("/")
    return str(url.copy_with(path=path or "/", query=None, fragment=None)).rstrip("/")


def _name_of(url: str) -> str:
    parts = httpx.URL(url)
    port = f":{parts.port}" if parts.port else ""
    path = parts.path.strip("/").replace("/", ".")
    return f"{parts.host}{port}" + (f".{path}" if path else "")


def _ask_for_server() -> str:
    if not sys.stdin.isatty():
        raise CommandFailed(
            "which gateway?", exit_code=ExitCode.BAD_INPUT, hint="octobatch login https://octobatch.acme.example"
        )
    return str(typer.prompt("Address of the gateway", err=True))


def _key(url: str, *, is_piped: bool) -> str:
    if is_piped:
        key = sys.stdin.read().strip()
    elif sys.stdin.isatty():
        key = str(typer.prompt(f"API key for {url} (it is not shown)", hide_input=True, err=True)).strip()
    else:
        raise CommandFailed(
            "nobody is there to ask for the key",
            exit_code=ExitCode.BAD_INPUT,
            hint="give it on standard input: octobatch login SERVER --with-key < FILE",
        )
    if not key or any(character.isspace() or not character.isprintable() for character in key):
        raise CommandFailed("that is no key", exit_code=ExitCode.BAD_INPUT, hint="one line, as obk_1a2b3c4d_…")
    return key


def _say_what_comes_before(name: str) -> None:
    """Where the new current context is not what the next command uses, that is said at once."""
    before = [variable for variable in ("OCTOBATCH_URL", "OCTOBATCH_CONTEXT") if os.environ.get(variable)]
    if before:
        say(f"note: {before[0]} is set and comes before it; use it with --context {name}")
    elif file := stack_file(Path.cwd()):
        say(f"note: in this folder the stack in {file.parent} comes before it; use it with --context {name}")


def logout(
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="[CONTEXT]",
            help="Default: the current one.",
            show_default=False,
            autocompletion=complete_contexts,
        ),
    ] = None,
) -> None:
    """Forget a gateway and the key for it. The key itself stays good until it expires or is revoked."""
    contexts = load_contexts()
    chosen = name or invocation().context or contexts.current
    if chosen is None:
        raise CommandFailed(
            "no context is the current one", exit_code=ExitCode.BAD_INPUT, hint="name one: octobatch contexts list"
        )
    url = contexts.get(chosen).url
    save_contexts(contexts.without(chosen))
    say(f"signed out of {url}: the context {chosen} and its key are removed from this machine")


def whoami(output: Output = OutputFormat.TABLE) -> None:
    """Show which gateway is used, as whom and why, and what the key may do."""
    connection = find_connection(context=invocation().context)
    with open_gateway(connection) as gateway:
        me = gateway.get("/me")
    if output.is_for_programs:
        print_as(output, _used(connection) | {"me": me})
        return
    print_facts(
        (
            ("you are", me["actor"]),
            ("issuer", me["issuer"]),
            ("gateway", connection.url),
            ("context", connection.context),
            ("why", connection.why),
            *facts_of_me(me),
        )
    )


def facts_of_me(me: dict[str, Any]) -> list[tuple[str, str]]:
    """What the key may do."""
    grants = ", ".join(f"{each['role']} of {each['namespace']}" for each in me["grants"])
    return [("roles", grants), ("scopes", ", ".join(me["scopes"]))]


def _used(connection: Connection) -> dict[str, Any]:
    return {
        "url": connection.url,
        "context": connection.context,
        "source": connection.source.name.lower(),
        "why": connection.why,
    }
