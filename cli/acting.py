"""`octobatch merge`, `close`, `comment` and the like: one action on many targets, looked at before it is done.

A command is a function of the options that its action alone has; what all of them have is added to it:

    @acting(BulkAction.LABEL)
    def label(labels: Labels) -> Parameters:
        \"""Put labels on pull requests.\"""
        return {"labels": labels}
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, TypeAlias

import typer

from shared.domain.bulk import DESTRUCTIVE, BulkAction
from shared.domain.spec import MergeMethod

from .asking import ask
from .bulk_progress import finish_bulk_operation
from .client import Gateway, open_gateway
from .completion import complete_runs
from .joined_options import with_options_of
from .naming import find_run
from .output import Output, OutputFormat, print_as, results, say
from .runs import NoWatch
from .target_filters import TargetFilter, target_filter

Parameters: TypeAlias = dict[str, Any]

PANEL = "Act on targets"

RunArgument = Annotated[
    str,
    typer.Argument(
        metavar="RUN",
        help="A run's id, or a campaign's name for its latest run.",
        show_default=False,
        autocompletion=complete_runs,
    ),
]
AllRuns = Annotated[bool, typer.Option("--all-runs", help="The targets of all runs of the campaign.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what it would do, and do nothing.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]


def acting(action: BulkAction) -> Callable[[Callable[..., Parameters]], Callable[..., None]]:
    """Makes a command of the function that reads the options of the action."""

    def decorate(read: Callable[..., Parameters]) -> Callable[..., None]:
        def command(
            *,
            parameters: Parameters,
            run: RunArgument,
            all_runs: AllRuns = False,
            wanted: TargetFilter,
            dry_run: DryRun = False,
            yes: Yes = False,
            no_watch: NoWatch = False,
            output: Output = OutputFormat.TABLE,
        ) -> None:
            body = {"action": action, "parameters": parameters, "filter": wanted.body}
            with open_gateway() as gateway:
                meant = find_run(gateway, run, is_whole=yes)  # where nobody is asked, no part of a name is guessed from
                path = f"/campaigns/{meant['campaign_name']}" if all_runs else f"/runs/{meant['id']}"
                _carry_out(gateway, path, body, dry_run=dry_run, yes=yes, no_watch=no_watch, output=output)

        command.__name__, command.__doc__ = read.__name__, read.__doc__
        return with_options_of(parameters=read, wanted=target_filter)(command)

    return decorate


def _carry_out(
    gateway: Gateway,
    address: str,
    body: dict[str, Any],
    *,
    dry_run: bool,
    yes: bool,
    no_watch: bool,
    output: OutputFormat,
) -> None:
    path, action = f"{address}/bulk-operations", BulkAction(body["action"])
    foreseen = gateway.post(path, body | {"dry_run": True})
    if dry_run and output.is_for_programs:
        print_as(output, foreseen)
        return
    _say_what_is_foreseen(action, foreseen, to=results().print if dry_run else say)
    if dry_run or not foreseen["applies"]:
        return
    if foreseen["applies"] > 1 or action in DESTRUCTIVE:
        ask(f"{_words(action)}: {_targets(foreseen['applies'])}?", yes=yes)
    made = gateway.post(path, body)["bulk_operation"]
    if not no_watch:
        finish_bulk_operation(gateway, made["id"], output)
    elif output.is_for_programs:
        print_as(output, made)
    else:
        say(f"bulk operation {made['id']}; octobatch bulk watch {made['id']} shows how far it is")


def _say_what_is_foreseen(action: BulkAction, foreseen: dict[str, Any], *, to: Callable[[str], object]) -> None:
    names, more = ", ".join(foreseen["first"]), foreseen["applies"] - len(foreseen["first"])
    named = f": {names}{f' and {more} more' if more else ''}" if names else ""
    to(f"{_words(action)}: {_targets(foreseen['applies'])}{named}")
    for each in foreseen["reasons"]:
        to(f"left alone: {each['count']} because it {each['reason']}")


def _words(action: BulkAction) -> str:
    return action.value.replace("_", " ")


def _targets(count: int) -> str:
    return f"{count} target{'' if count == 1 else 's'}"


def register(app: typer.Typer) -> None:
    """Adds the commands to `octobatch`."""
    for name, command in _COMMANDS.items():
        app.command(name, rich_help_panel=PANEL, epilog=f"Example: octobatch {name} {_EXAMPLES[name]}")(command)


@acting(BulkAction.PUBLISH)
def publish(
    draft: Annotated[bool, typer.Option("--draft", help="Open drafts.")] = False,
) -> Parameters:
    """Open the pull requests of changes that were only prepared, and mark drafts ready.

    Each is opened when its run's rollout allows it.
    """
    return {"draft": draft}


@acting(BulkAction.UNDRAFT)
def undraft() -> Parameters:
    """Mark drafts ready for review."""
    return {}


@acting(BulkAction.COMMENT)
def comment(body: Annotated[str, typer.Option("--body", "-b", help="The comment, Markdown.")]) -> Parameters:
    """Comment below pull requests."""
    return {"body": body}


@acting(BulkAction.LABEL)
def label(
    labels: Annotated[list[str], typer.Option("--label", "-l", help="A label; may be repeated.")],
) -> Parameters:
    """Put labels on pull requests; a label that a repository has not is made."""
    return {"labels": labels}


@acting(BulkAction.REQUEST_REVIEW)
def request_review(
    users: Annotated[
        list[str] | None, typer.Option("--user", help="A login; may be repeated.", show_default=False)
    ] = None,
    teams: Annotated[
        list[str] | None, typer.Option("--team", help="A team, as acme/core; may be repeated.", show_default=False)
    ] = None,
) -> Parameters:
    """Ask people and teams for a review, beside those who are asked already."""
    return {"users": users or [], "teams": teams or []}


@acting(BulkAction.REBASE)
def rebase() -> Parameters:
    """Run the steps again on the base branch as it is now, and replace the commits."""
    return {}


@acting(BulkAction.RERUN)
def rerun() -> Parameters:
    """Run the steps again, whatever came of them before."""
    return {}


@acting(BulkAction.RETRY)
def retry() -> Parameters:
    """Try again what failed or is blocked."""
    return {}


Method = Annotated[
    MergeMethod, typer.Option(help="How to merge: merge, squash or rebase.", metavar="METHOD", show_default=True)
]


@acting(BulkAction.MERGE)
def merge(method: Method = MergeMethod.MERGE) -> Parameters:
    """Merge pull requests that are open, have no conflicts, and hold nothing but Octobatch's commits."""
    return {"method": method}


@acting(BulkAction.ENABLE_AUTO_MERGE)
def auto_merge(method: Method = MergeMethod.MERGE) -> Parameters:
    """Have GitHub merge pull requests once all that it requires is met."""
    return {"method": method}


@acting(BulkAction.CLOSE)
def close(
    delete_branch: Annotated[
        bool, typer.Option("--delete-branch", "-d", help="Delete the branch, unless somebody has pushed to it.")
    ] = False,
) -> Parameters:
    """Close pull requests without merging them."""
    return {"delete_branch": delete_branch}


@acting(BulkAction.REOPEN)
def reopen() -> Parameters:
    """Open closed pull requests again, where their branches are as they were."""
    return {}


@acting(BulkAction.DETACH)
def detach() -> Parameters:
    """Leave pull requests to people: Octobatch follows and changes them no more."""
    return {}


@acting(BulkAction.ATTACH)
def attach() -> Parameters:
    """Follow pull requests again that were left to people, as they are by now."""
    return {}


_COMMANDS: dict[str, Callable[..., None]] = {
    "publish": publish,
    "undraft": undraft,
    "comment": comment,
    "label": label,
    "request-review": request_review,
    "rebase": rebase,
    "rerun": rerun,
    "retry": retry,
    "merge": merge,
    "auto-merge": auto_merge,
    "close": close,
    "reopen": reopen,
    "detach": detach,
    "attach": attach,
}

_EXAMPLES: dict[str, str] = {
    "publish": "bump-go -R 'acme/svc-*' --draft",
    "undraft": "bump-go --checks passed",
    "comment": "bump-go --state open --body 'Please have a look until Friday'",
    "label": "bump-go --label dependencies",
    "request-review": "bump-go --review none --team acme/core",
    "rebase": "bump-go --state conflicted",
    "rerun": "bump-go --target ID",
    "retry": "bump-go --reason timeout",
    "merge": "bump-go --review approved --checks passed --dry-run",
    "auto-merge": "bump-go --review approved --method squash",
    "close": "bump-go -R acme/legacy --delete-branch",
    "reopen": "bump-go --state closed",
    "detach": "bump-go -R acme/api",
    "attach": "bump-go -R acme/api",
}
