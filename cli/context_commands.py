"""`octobatch contexts`: the gateways that this user has signed in to."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .connection import find_connection, stack_file
from .contexts import load_contexts, save_contexts
from .failures import CommandFailed
from .invocation import complete_contexts, invocation
from .output import Output, OutputFormat, print_as, print_rows, say

app = typer.Typer(
    help="List the gateways that you have signed in to, and choose the one to use.",
    no_args_is_help=True,
    epilog="Examples: octobatch contexts list · octobatch contexts use prod · octobatch --context prod runs",
)

Name = Annotated[str, typer.Argument(metavar="NAME", help="The context's name.", autocompletion=complete_contexts)]


@app.command("list")
def list_contexts(output: Output = OutputFormat.TABLE) -> None:
    """List the contexts; the one that a command in this folder would use is marked."""
    contexts = load_contexts()
    used = _used()
    shown = [
        {
            "name": name,
            "url": each.url,
            "key": each.api_key[:12] + "…",  # the part by which the gateway lists it
            "is_current": name == contexts.current,
            "is_used": name == used,
        }
        for name, each in contexts.named.items()
    ]
    if output.is_for_programs:
        print_as(output, shown)
        return
    print_rows(
        ("", "context", "gateway", "key"),
        (("*" if each["is_used"] else "", each["name"], each["url"], each["key"]) for each in shown),
    )
    if not shown:
        say("'octobatch login SERVER' makes one")


def _used() -> str | None:
    try:
        return find_connection(context=invocation().context).context
    except CommandFailed:
        return None


@app.command()
def use(name: Name) -> None:
    """Make a context the current one."""
    save_contexts(load_contexts().using(name))
    say(f"{name} is the current context")
    if file := stack_file(Path.cwd()):
        say(f"note: in this folder the stack in {file.parent} comes before it; use it with --context {name}")


@app.command()
def rename(old: Name, new: Annotated[str, typer.Argument(metavar="NEW", help="Its new name.")]) -> None:
    """Give a context another name."""
    save_contexts(load_contexts().renamed(old, new))
    say(f"{old} is called {new}")


@app.command()
def remove(name: Name) -> None:
    """Remove a context and its key from this machine."""
    contexts = load_contexts()
    save_contexts(contexts.without(name))
    say(f"{name} is removed; its key stays good until it expires or is revoked")
    if name == contexts.current:
        say("no context is the current one now: 'octobatch contexts use NAME' chooses one")
