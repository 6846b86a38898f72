"""`octobatch target` and `timeline`: one target as it is, and how it came to that."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import typer

from .client import open_gateway
from .naming import RunOption, TargetArgument, find_target
from .output import Output, OutputFormat, moment, print_as, print_facts, print_rows, say
from .targets import pull_request_url


def register(app: typer.Typer) -> None:
    """Adds the commands to `octobatch`."""
    app.command("target", epilog="Examples: octobatch target acme/api · octobatch target acme/api --run bump-go")(
        show_target
    )
    app.command(epilog="Example: octobatch timeline acme/api")(timeline)


def show_target(target: TargetArgument, run: RunOption = None, output: Output = OutputFormat.TABLE) -> None:
    """Show one target: its state and why, its branch, its pull request, reviews and checks."""
    with open_gateway() as gateway:
        found = gateway.get(f"/targets/{find_target(gateway, target, run)['id']}")
    if output.is_for_programs:
        print_as(output, found)
        return
    stat: dict[str, int] = found["diff_stat"] or {}
    print_facts(
        (
            ("target", found["id"]),
            ("repository", found["repository"]),
            ("group", found["group"]),
            ("run", found["run_id"]),
            ("state", found["state"]),
            ("detached", "left to people; octobatch attach follows it again" if found["is_detached"] else None),
            ("reason", found["reason"]),
            ("pull request", pull_request_url(found)),
            ("reviews", found["review_state"]),
            ("checks", found["checks_state"]),
            ("branch", f"{found['branch']} onto {found['base_branch']}"),
            ("change", _size(stat) if stat else None),
            ("changed", moment(found["updated_at"])),
        )
    )
    for warning in found["warnings"]:
        say(f"warning: {warning}")


def _size(stat: dict[str, int]) -> str:
    files = f"{stat['files']} file{'' if stat['files'] == 1 else 's'}"
    return f"{files}, +{stat['additions']} -{stat['deletions']}"


def timeline(target: TargetArgument, run: RunOption = None, output: Output = OutputFormat.TABLE) -> None:
    """List what happened to a target, oldest first: each state that it came to, and what people did."""
    with open_gateway() as gateway:
        found = find_target(gateway, target, run)
        happened = gateway.short_list(f"/targets/{found['id']}/events")
    if output.is_for_programs:
        print_as(output, happened)
        return
    print_rows(("at", "what", "from", "by", "reason", "pull request"), (_line(each) for each in happened))


def _line(event: dict[str, Any]) -> Sequence[Any]:
    payload: dict[str, Any] = event["payload"]
    return (
        moment(event["occurred_at"]),
        payload.get("action") or payload.get("to") or event["type"],
        "" if payload.get("action") else payload.get("from"),
        payload.get("actor"),
        payload.get("reason"),
        pull_request_url(payload),
    )
