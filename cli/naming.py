"""What a person may say for a campaign, a run, a selection or a target, and which one that is.

A whole name wins over a part of one. A part that several names have is an error that lists them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from difflib import get_close_matches
from typing import Annotated, Any
from urllib.parse import quote
from uuid import UUID

import typer

from .client import Gateway
from .completion import (
    complete_campaigns,
    complete_installations,
    complete_repositories,
    complete_runs,
    complete_selections,
)
from .failures import CommandFailed, ExitCode
from .output import say

RUN_MEANT = "A run's id, or a campaign's name, or a part of it, for its latest run."
RUN_HELP = f"{RUN_MEANT} Default: the latest run."
OptionalRun = Annotated[
    str | None,
    typer.Argument(metavar="[RUN]", help=RUN_HELP, show_default=False, autocompletion=complete_runs),
]
RunOption = Annotated[
    str | None,
    typer.Option("--run", metavar="RUN", help=RUN_HELP, show_default=False, autocompletion=complete_runs),
]
TargetArgument = Annotated[
    str,
    typer.Argument(
        metavar="TARGET",
        help="A target's id, or owner/name for its target in the run, owner/name#group, or a part of owner/name.",
        autocompletion=complete_repositories,
    ),
]
CampaignName = Annotated[
    str, typer.Argument(metavar="NAME", help="The campaign's name.", autocompletion=complete_campaigns)
]

Installation = Annotated[
    str,
    typer.Argument(
        metavar="INSTALLATION",
        help="The installation's number, or its account or a part of it.",
        autocompletion=complete_installations,
    ),
]

SELECTION_HELP = "A selection's id, or the name in its spec, or a part of it, for the latest selection of that name."
SelectionArgument = Annotated[
    str, typer.Argument(metavar="SELECTION", help=SELECTION_HELP, autocompletion=complete_selections)
]

_MOST_CANDIDATES = 10


def find_campaign(gateway: Gateway, name: str, *, is_whole: bool = False) -> dict[str, Any]:
    """The campaign that is meant, by its `is_whole` name alone or by a part; raises `CommandFailed`."""
    try:
        return gateway.get(f"/campaigns/{quote(name, safe='')}")
    except CommandFailed as failure:
        if not failure.is_missing:
            raise
    every = [each["name"] for each in gateway.items("/campaigns")]
    found = choose_name(name, every, what="campaign", is_whole=is_whole)
    say(f"{name}: the campaign {found}")
    return gateway.get(f"/campaigns/{found}")


def choose_name(part: str, names: Iterable[str], *, what: str, is_whole: bool = False) -> str:
    """The one name that has the part in it, in any case; raises `CommandFailed` where there is none, or more."""
    every = list(dict.fromkeys(names))
    found = [] if is_whole else [name for name in every if part.lower() in name.lower()]
    if len(found) == 1:
        return found[0]
    if found:
        raise _ambiguous(part, found)
    near = get_close_matches(part, every, n=3) or [name for name in every if part.lower() in name.lower()]
    raise CommandFailed(
        f"there is no {what} {part}",
        exit_code=ExitCode.BAD_INPUT,
        hint=f"did you mean {' or '.join(near[:3])}?" if near else "",
    )


def _ambiguous(part: str, found: Sequence[str]) -> CommandFailed:
    more = f" and {len(found) - _MOST_CANDIDATES} more" if len(found) > _MOST_CANDIDATES else ""
    return CommandFailed(
        f"{part!r} is a part of {len(found)} names: {', '.join(found[:_MOST_CANDIDATES])}{more}",
        exit_code=ExitCode.BAD_INPUT,
        hint="say more of the name",
    )


def find_selection(gateway: Gateway, name: str) -> dict[str, Any]:
    """The selection that is meant; raises `CommandFailed` where there is none."""
    if is_id(name):
        return gateway.get(f"/selections/{name}")
    latest = next(gateway.items("/selections", limit=1, name=name), None)
    if latest is None:
        every = (each["name"] for each in gateway.items("/selections", limit=500))
        found = choose_name(name, every, what="selection")
        say(f"{name}: the selection {found}")
        latest = next(gateway.items("/selections", limit=1, name=found))
    return latest


def find_installation(gateway: Gateway, name: str) -> int:
    """The number of the installation that is meant; raises `CommandFailed` where there is none."""
    if name.isascii() and name.isdigit():
        return int(name)
    numbers = {each["account"]: int(each["id"]) for each in gateway.short_list("/installations")}
    whole = next((account for account in numbers if account.lower() == name.lower()), None)
    return numbers[whole or choose_name(name, numbers, what="installation on")]


def find_run(gateway: Gateway, name: str | None, *, is_whole: bool = False) -> dict[str, Any]:
    """The run that is meant, where `is_whole` by no part of a name; raises `CommandFailed` where there is none."""
    if name and is_id(name):
        return gateway.get(f"/runs/{name}")
    campaign = find_campaign(gateway, name, is_whole=is_whole)["name"] if name else None
    latest = next(gateway.items("/runs", limit=1, campaign=campaign), None)
    if latest is None:
        again = f"octobatch run {campaign}" if campaign else "octobatch apply -f spec.yaml"
        of = f" of {campaign}" if campaign else ""
        raise CommandFailed(f"there is no run{of} yet", exit_code=ExitCode.BAD_INPUT, hint=again)
    return gateway.get(f"/runs/{latest['id']}")


def find_target(gateway: Gateway, name: str, run: str | None) -> dict[str, Any]:
    """The target that is meant; raises `CommandFailed` where there is none."""
    if is_id(name):
        return gateway.get(f"/targets/{name}")
    found_run = find_run(gateway, run)
    repository, _, group = name.partition("#")
    found = list(gateway.items(f"/runs/{found_run['id']}/targets", repository=repository)) if repository else []
    target = choose_target(found, repository, group)
    if target is None:
        raise CommandFailed(
            f"run {found_run['id']} of {found_run['campaign_name']} has no target in {name}",
            exit_code=ExitCode.BAD_INPUT,
            hint="octobatch targets lists them; --run names another run",
        )
    return target


def choose_target(found: Sequence[dict[str, Any]], repository: str, group: str) -> dict[str, Any] | None:
    """The target of the repository and group, among those whose repositories have the name in theirs.

    Without a group it is the one of no group, and of what a repository is divided into the first, in this order.
    Raises `CommandFailed` where the name is no whole one, and a part of several.
    """
    whole = repository.lower()
    named = _named(found, lambda name: name.lower() == whole)
    if not named and "/" not in repository:
        named = _named(found, lambda name: name.lower().partition("/")[2] == whole)
        if len({each["repository"] for each in named}) > 1:
            raise _ambiguous(repository, list(dict.fromkeys(each["repository"] for each in named)))
    if not named and found:
        part = choose_name(repository, (each["repository"] for each in found), what="repository")
        named = _named(found, lambda name: name == part)
    of_group = [each for each in named if each["group"] == group]
    return next(iter(of_group or ([] if group else named)), None)


def _named(found: Sequence[dict[str, Any]], is_meant: Callable[[str], bool]) -> list[dict[str, Any]]:
    return [each for each in found if is_meant(each["repository"])]


def is_id(text: str) -> bool:
    """Whether it is an id, and no name."""
    try:
        UUID(text)
    except ValueError:
        return False
    return True
