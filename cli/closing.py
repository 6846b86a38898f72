"""`octobatch campaigns close`: undoing a campaign, after asking."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from .asking import ask
from .bulk_progress import finish_bulk_operation
from .client import open_gateway
from .naming import CampaignName, find_campaign
from .output import Output, OutputFormat, print_as, results, say
from .runs import NoWatch


def close(
    name: CampaignName,
    keep_branches: Annotated[bool, typer.Option("--keep-branches", help="Delete no branches.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what it would do, and do nothing.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    no_watch: NoWatch = False,
    output: Output = OutputFormat.TABLE,
) -> None:
    """Undo a campaign: archive it, cancel its runs, close its open pull requests and delete its branches.

    What is merged stays merged. A branch that somebody has pushed to stays.
    """
    wanted = {"delete_branches": not keep_branches}
    with open_gateway() as gateway:
        name = find_campaign(gateway, name, is_whole=True)["name"]
        foreseen = gateway.post(f"/campaigns/{name}/close", wanted | {"dry_run": True})
        if dry_run:
            if output.is_for_programs:
                print_as(output, foreseen)
            else:
                results().print(f"closing {name} {_what(foreseen)}", highlight=False)
            return
        ask(f"Closing {name} {_what(foreseen)}. Do it?", yes=yes)
        closed = gateway.post(f"/campaigns/{name}/close", wanted)
        say(f"campaign {name} is closed: it {_what(closed)}")
        if not no_watch:
            finish_bulk_operation(gateway, closed["bulk_operation"]["id"], output)
        elif output.is_for_programs:
            print_as(output, closed)


def _what(outcome: dict[str, Any]) -> str:
    counts = {
        "cancels {} unfinished run{}": outcome["runs"],
        "closes {} pull request{}": outcome["pull_requests"],
        "deletes up to {} branch{}": outcome["branches"],
    }
    parts = [text.format(count, _plural(text, count)) for text, count in counts.items() if count]
    return ", ".join(parts) or "has nothing to end"


def _plural(text: str, count: int) -> str:
    ending = "es" if "branch" in text else "s"
    return "" if count == 1 else ending
