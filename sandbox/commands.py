"""What the sandbox adds to the `octobatch` command: up, down, demo, sandbox import."""

from __future__ import annotations

import errno
import signal
import sys
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from rich.console import Console

from .demo import run_demo
from .embedded.servers import ServerNotStarted
from .folder import StackError, StackFolder
from .stack import Stack

console = Console(stderr=True, highlight=False, soft_wrap=True)

Folder = Annotated[Path, typer.Option(help="Where data, logs and secrets of the stack are kept.")]
Port = Annotated[int, typer.Option("--port", min=1, max=65535, help="Port of the gateway.")]
GitHubPort = Annotated[int, typer.Option(min=1, max=65535, help="Port of the GitHub sandbox.")]
DEFAULT_FOLDER = Path(".octobatch")
DEMO_FOLDER = Path(".octobatch-demo")

sandbox = typer.Typer(
    help="The GitHub to practise on.", no_args_is_help=True, epilog="Example: octobatch sandbox env > .env"
)


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    app.command(epilog="Examples: octobatch up · octobatch up --import-packages --port 8700")(up)
    app.command(epilog="Examples: octobatch down · octobatch down --wipe")(down)
    app.command(epilog="Example: octobatch demo --keep")(demo)
    app.add_typer(sandbox, name="sandbox")


def up(
    folder: Folder = DEFAULT_FOLDER,
    port: Port = 8600,
    github_port: GitHubPort = 8601,
    import_packages: Annotated[
        bool, typer.Option("--import-packages", help="Make repositories of the installed Python packages.")
    ] = False,
    only_stores: Annotated[
        bool,
        typer.Option("--only-stores", help="Start no gateway and no workers: the Procfile's may be run beside it."),
    ] = False,
) -> None:
    """Start everything on this machine: stores, GitHub sandbox, gateway and workers. Ctrl-C stops it in order."""
    _interrupt_on_signals()
    stack_folder = StackFolder(folder)
    try:
        stack_folder.prepare()
        with stack_folder.held():
            stack = Stack(
                stack_folder,
                gateway_port=port,
                github_port=github_port,
                say=console.print,
                import_packages=import_packages,
                only_stores=only_stores,
            )
            try:
                stack.start()
                if only_stores:
                    console.print("\nThe stores are ready; 'octobatch sandbox env' prints the settings for the rest")
                else:
                    where = stack_folder.path / "api-key"
                    console.print(f"\nOctobatch is at [bold]{stack.url}[/bold] (API key: {where})")
                stack.supervise()
            except KeyboardInterrupt:
                console.print("stopping")
            finally:
                signal.signal(signal.SIGINT, signal.SIG_IGN)
                signal.signal(signal.SIGTERM, signal.SIG_IGN)
                stack.stop()
    except (StackError, ServerNotStarted) as error:
        _fail(str(error))
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        _fail(f"the disk of {stack_folder.path} is full; make room, or choose a folder elsewhere with --folder")


def down(
    folder: Folder = DEFAULT_FOLDER,
    wipe: Annotated[bool, typer.Option("--wipe", help="Remove its data, logs and secrets too.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before wiping.")] = False,
) -> None:
    """Stop the stack; with --wipe remove all it kept."""
    stack_folder = StackFolder(folder)
    try:
        stopped = stack_folder.stop_owner()
        console.print("stopped" if stopped else f"no stack runs in {stack_folder.path}")
        if wipe:
            if not yes and not typer.confirm(f"Remove {stack_folder.path} with all campaigns and runs in it?"):
                raise typer.Exit(1)
            stack_folder.stop_leftovers()
            stack_folder.wipe()
            console.print(f"removed {stack_folder.path}")
    except StackError as error:
        _fail(str(error))


def demo(
    keep: Annotated[bool, typer.Option("--keep", help="Leave it running at the end, until Ctrl-C.")] = False,
    folder: Folder = DEMO_FOLDER,
) -> None:
    """Run a real campaign over forty repositories, from the spec to merged pull requests.

    It begins with an empty stack: what an earlier demo left in its folder is removed.
    """
    _interrupt_on_signals()
    try:
        sys.exit(run_demo(folder, keep=keep))
    except (StackError, ServerNotStarted) as error:
        _fail(str(error))
    except KeyboardInterrupt:
        sys.exit(130)


@sandbox.command("import")
def import_directories(
    directories: Annotated[
        list[Path], typer.Argument(exists=True, file_okay=False, help="Source trees or git repositories.")
    ],
    owner: Annotated[str, typer.Option(help="The organisation to import into.")] = "acme",
    folder: Folder = DEFAULT_FOLDER,
) -> None:
    """Make sandbox repositories of folders. The stack must not be running, since it holds the same data."""
    from .github.importing import directory_sources  # noqa: PLC0415 - the sandbox is loaded only where it is used
    from .github.importing import import_directories as import_into  # noqa: PLC0415
    from .github.world import World  # noqa: PLC0415

    stack_folder = StackFolder(folder)
    try:
        stack_folder.prepare()
        with stack_folder.held():
            world = World.open(stack_folder.path / "github", base_url="http://127.0.0.1")
            made: Any = import_into(world, owner, directory_sources(directories))
    except StackError as error:
        _fail(str(error))
    console.print(f"{len(made)} repositories of {owner}")


@sandbox.command("env")
def print_environment(folder: Folder = DEFAULT_FOLDER) -> None:
    """Print the settings of the stack's gateway and workers, secrets too, as lines of an .env file."""
    settings = StackFolder(folder).path / "processes.env"
    if not settings.exists():
        _fail(f"no stack was started in {settings.parent}; 'octobatch up' does")
    typer.echo(settings.read_text(), nl=False)


def _interrupt_on_signals() -> None:
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored where a script started it in the background


def _fail(message: str) -> NoReturn:
    console.print(f"[bold red]error:[/bold red] {message}", markup=True)
    raise typer.Exit(1)
