"""What a person may say for a run or a target, and which one that is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any
from uuid import UUID

import typer

from .client import Gateway
from .failures import CommandFailed, ExitCode

RUN_HELP = "A run's id, or a campaign's name for its latest run. Default: the latest run."
OptionalRun = Annotated[str | None, typer.Argument(metavar="[RUN]", help=RUN_HELP, show_default=False)]
RunOption = Annotated[str | None, typer.Option("--run", metavar="RUN", help=RUN_HELP, show_default=False)]
TargetArgument = Annotated[
    str,
    typer.Argument(metavar="TARGET", help="A target's id, or owner/name for its target in the run, owner/name#group."),
]

SELECTION_HELP = "A selection's id, or the name in its spec for the latest selection of that name."
SelectionArgument = Annotated[str, typer.Argument(metavar="SELECTION", help=SELECTION_HELP)]


def find_selection(gateway: Gateway, name: str) -> dict[str, Any]:
    """The selection that is meant; raises `CommandFailed` where there is none."""
    if _is_id(name):
        return gateway.get(f"/selections/{name}")
    latest = next(gateway.items("/selections", limit=1, name=name), None)
    if latest is None:
        raise CommandFailed(
            f"there is no selection {name}", exit_code=ExitCode.BAD_INPUT, hint="octobatch selections list"
        )
    return latest


def find_run(gateway: Gateway, name: str | None) -> dict[str, Any]:
    """The run that is meant; raises `CommandFailed` where there is none."""
    if name and _is_id(name):
        return gateway.get(f"/runs/{name}")
    if name:
        gateway.get(f"/campaigns/{name}")  # a clear answer where there is no campaign of that name
    latest = next(gateway.items("/runs", limit=1, campaign=name), None)
    if latest is None:
        of = f" of {name}" if name else ""
        raise CommandFailed(
            f"there is no run{of} yet", exit_code=ExitCode.BAD_INPUT, hint="octobatch apply -f spec.yaml"
        )
    return gateway.get(f"/runs/{latest['id']}")


def find_target(gateway: Gateway, name: str, run: str | None) -> dict[str, Any]:
    """The target that is meant; raises `CommandFailed` where there is none."""
    if _is_id(name):
        return gateway.get(f"/targets/{name}")
    if "/" not in name:
        raise CommandFailed(
            f"{name} is neither a target's id nor a repository", exit_code=ExitCode.BAD_INPUT, hint="write owner/name"
        )
    run_id = find_run(gateway, run)["id"]
    repository, _, group = name.partition("#")
    target = choose_target(list(gateway.items(f"/runs/{run_id}/targets", repository=repository)), repository, group)
    if target is None:
        raise CommandFailed(f"run {run_id} has no target in {name}", exit_code=ExitCode.BAD_INPUT)
    return target


def choose_target(found: Sequence[dict[str, Any]], repository: str, group: str) -> dict[str, Any] | None:
    """The target of the repository and group, among those whose repositories have the name in theirs.

    Without a group it is the one of no group, and of what a repository is divided into the first, in this order.
    """
    named = [each for each in found if each["repository"].lower() == repository.lower()]
    of_group = [each for each in named if each["group"] == group]
    return next(iter(of_group or ([] if group else named)), None)


def _is_id(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True
