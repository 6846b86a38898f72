"""`octobatch streams`: how the services' commands go, and acts of an operator on them."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from typing import Annotated, Any
from uuid import uuid4

import typer
from rich.live import Live
from rich.table import Table

from shared.domain.operation import OperationState, Service

from .asking import ask
from .client import Gateway, open_gateway
from .failures import CommandFailed, ExitCode
from .output import (
    Output,
    OutputFormat,
    moment,
    print_as,
    print_facts,
    print_json,
    print_one_as,
    print_rows,
    results,
    say,
    table_of,
)
from .times import TIME_HELP, parse_age, parse_moment, seconds_text

app = typer.Typer(help="Look into the command streams, and operate them. Every act is audited.", no_args_is_help=True)

REFRESH_SECONDS = 2.0
FOLLOW_SECONDS = 0.5

ServiceName = Annotated[Service, typer.Argument(metavar="SERVICE", help="campaigns, selection or tokens.")]
CommandType = Annotated[
    str | None, typer.Option("--type", help="Only this command, such as prepare_target.", show_default=False)
]
RunId = Annotated[str | None, typer.Option("--run", metavar="ID", help="Only of this run.", show_default=False)]
OperationIdOption = Annotated[
    str | None, typer.Option("--operation", metavar="ID", help="Only this operation.", show_default=False)
]
Everything = Annotated[bool, typer.Option("--all", help="All of them: needed where nothing else narrows the choice.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Count, and change nothing.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]
Payloads = Annotated[bool, typer.Option("--payload", help="Show payloads too; secrets are taken out.")]
Limit = Annotated[int, typer.Option(min=1, help="At most so many.")]


@app.command()
def lag(
    watch: Annotated[bool, typer.Option("--watch", "-w", help="Show it again and again, with rates.")] = False,
    output: Output = OutputFormat.TABLE,
) -> None:
    """Show how much each service has before it, and how old the oldest is."""
    with open_gateway() as gateway:
        if watch:
            _watch_lag(gateway)
            return
        found = gateway.get("/streams")["items"]
    if output.is_for_programs:
        print_as(output, found, name="service")
    else:
        results().print(_lag_table(found))


def _watch_lag(gateway: Gateway) -> None:
    before, asked = gateway.get("/streams")["items"], time.monotonic()
    with Live(_lag_table(before), console=results(), auto_refresh=False) as live:
        while True:
            time.sleep(REFRESH_SECONDS)
            found, now = gateway.get("/streams")["items"], time.monotonic()
            rates = {
                new["service"]: (new["acknowledged"] - old["acknowledged"]) / (now - asked)
                for old, new in zip(before, found, strict=True)
            }
            live.update(_lag_table(found, rates), refresh=True)
            before, asked = found, now


def _lag_table(streams: list[dict[str, Any]], rates: dict[str, float] | None = None) -> Table:
    names = ("service", "waiting", "pending", "delayed", "due", "held", "dead", "oldest", "workers")
    return table_of(
        (*names, "done/s") if rates else names,
        (
            (
                each["service"],
                each["undelivered"],
                each["pending"],
                each["delayed"],
                each["due"],
                each["held"],
                each["dead_letters"],
                seconds_text(each["oldest_age_seconds"]),
                each["consumers"],
                *((f"{rates[each['service']]:.1f}",) if rates else ()),
            )
            for each in streams
        ),
    )


@app.command()
def inspect(service: ServiceName, output: Output = OutputFormat.TABLE) -> None:
    """Show a service's stream, its group, and the workers in it."""
    with open_gateway() as gateway:
        found = gateway.get(f"/streams/{service}")
    if output.is_for_programs:
        print_as(output, found, name="service")
        return
    results().print(_lag_table([found]))
    print_facts(
        (
            ("entries", found["length"]),
            ("trimmed", found["trimmed"]),
            ("acknowledged", found["acknowledged"]),
            ("first", _entry_and_time(found["first_entry_id"], found["first_entry_at"])),
            ("last", _entry_and_time(found["last_entry_id"], found["last_entry_at"])),
        )
    )
    for group in found["groups"]:
        say(f"group {group['name']}: up to entry {group['last_delivered_id']}, {group['undelivered']} to come")
        print_rows(
            ("worker", "pending", "heard of"),
            (
                (each["name"], each["pending"], f"{seconds_text(each['idle_seconds'])} ago")
                for each in group["consumers"]
            ),
        )


def _entry_and_time(entry_id: str | None, at: str | None) -> str:
    return f"{entry_id} ({moment(at)})" if entry_id else ""


@app.command()
def tail(
    service: ServiceName,
    number: Annotated[int, typer.Option("-n", "--number", min=1, max=500, help="Begin with the last so many.")] = 10,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on with what comes, until Ctrl-C.")] = False,
    payload: Payloads = False,
    output: Output = OutputFormat.TABLE,
) -> None:
    """Show the last commands that came onto a service's stream, one a line; with -f, those that come too."""
    with open_gateway() as gateway:
        for entry in _tail(gateway, service, number, follow=follow, payload=payload):
            if output.is_for_programs:
                print_one_as(output, entry)
            else:
                results().print(*_line_of(entry), highlight=False)


def _tail(gateway: Gateway, service: Service, number: int, *, follow: bool, payload: bool) -> Iterator[dict[str, Any]]:
    path, with_payload = f"/streams/{service}/entries", str(payload).lower()
    latest = gateway.get(path, latest="true", limit=number, payload=with_payload)["items"]
    yield from latest
    after = latest[-1]["id"] if latest else "0-0"
    while follow:
        time.sleep(FOLLOW_SECONDS)
        for entry in gateway.items(path, after=after, payload=with_payload):
            after = entry["id"]
            yield entry


def _line_of(entry: dict[str, Any]) -> list[str]:
    words = [moment(entry["at"]), entry["id"], entry["type"] or f"unreadable: {entry['unreadable']}"]
    if entry["type"]:
        words += [entry["operation_id"] or "(request)", f"attempt {entry['attempt']}", entry["actor"]]
    return [*words, str(entry["payload"])] if entry["payload"] is not None else words


@app.command()
def pending(
    service: ServiceName, limit: Limit = 50, payload: Payloads = False, output: Output = OutputFormat.TABLE
) -> None:
    """List the commands that workers hold, oldest first."""
    with open_gateway() as gateway:
        found = list(gateway.items(f"/streams/{service}/pending", limit=limit, payload=str(payload).lower()))
    if output.is_for_programs:
        print_as(output, found)
        return
    print_rows(
        ("entry", "command", "operation", "attempt", "deliveries", "worker", "heard of"),
        (
            (
                each["id"],
                each["type"] or each["unreadable"],
                each["operation_id"],
                each["attempt"],
                each["deliveries"],
                each["consumer"],
                f"{seconds_text(each['idle_seconds'])} ago",
            )
            for each in found
        ),
    )
    _print_payloads(found)


@app.command("dead-letters")
def dead_letters(
    service: ServiceName,
    command: CommandType = None,
    run: RunId = None,
    operation: OperationIdOption = None,
    limit: Limit = 50,
    payload: Payloads = False,
    output: Output = OutputFormat.TABLE,
) -> None:
    """List the commands that were given up, oldest first, each with its error."""
    with open_gateway() as gateway:
        found = list(
            gateway.items(
                f"/streams/{service}/dead-letters",
                limit=limit,
                type=command,
                run_id=run,
                operation_id=operation,
                payload=str(payload).lower(),
            )
        )
    if output.is_for_programs:
        print_as(output, found)
        return
    print_rows(
        ("entry", "since", "command", "operation", "attempt", "error"),
        (
            (
                each["id"],
                moment(each["at"]),
                each["type"] or each["unreadable"],
                each["operation_id"],
                each["attempt"],
                each["error"],
            )
            for each in found
        ),
    )
    _print_payloads(found)


def _print_payloads(entries: list[dict[str, Any]]) -> None:
    for entry in entries:
        if entry["payload"] is not None:
            print_json({"id": entry["id"], "payload": entry["payload"]}, indent=None)


@app.command(
    epilog="Examples: octobatch streams replay campaigns --since 2h · "
    "octobatch streams replay campaigns --run ID --state failed --force-new"
)
def replay(  # noqa: PLR0917 - typer passes each option by its name
    service: ServiceName,
    since: Annotated[str | None, typer.Option(help=f"Accepted then or later; {TIME_HELP}.", show_default=False)] = None,
    until: Annotated[str | None, typer.Option(help="Accepted before then.", show_default=False)] = None,
    first: Annotated[
        str | None, typer.Option("--from-entry", metavar="ID", help="From this entry on.", show_default=False)
    ] = None,
    last: Annotated[
        str | None, typer.Option("--to-entry", metavar="ID", help="Up to this entry, with it.", show_default=False)
    ] = None,
    command: CommandType = None,
    run: RunId = None,
    operation: OperationIdOption = None,
    state: Annotated[
        list[OperationState] | None, typer.Option("--state", help="Only in this state; may be repeated.")
    ] = None,
    everything: Everything = False,
    force_new: Annotated[
        bool, typer.Option("--force-new", help="Do what is finished once more, under new dedupe keys. Asks first.")
    ] = False,
    dry_run: DryRun = False,
    yes: Yes = False,
    output: Output = OutputFormat.TABLE,
) -> None:
    """Append again what Redis has lost of a range. What is done stays done, unless --force-new does it again."""
    wanted = {
        "since": parse_moment(since).isoformat() if since else None,
        "until": parse_moment(until).isoformat() if until else None,
        "first_entry": first,
        "last_entry": last,
        "type": command,
        "run_id": run,
        "operation_id": operation,
        "states": [each.value for each in state or ()],
        "all": everything,
        "force_new": force_new,
        "replay_id": uuid4().hex if force_new else None,
    }
    with open_gateway() as gateway:
        counted = gateway.post(f"/streams/{service}/replay", {**wanted, "dry_run": True})
        if force_new and not dry_run and counted["accepted"]:
            ask(f"Do {counted['accepted']} finished commands again ({_counts(counted['by_type'])})?", yes=yes)
        done = counted if dry_run else gateway.post(f"/streams/{service}/replay", {**wanted, "dry_run": False})
    if output.is_for_programs:
        print_as(output, done)
        return
    would = "would be " if dry_run else ""
    print_facts(
        (
            ("meant", f"{done['matched']} ({_counts(done['by_type'])}; {_counts(done['by_state'])})"),
            (f"{would}appended again", done["appended"]),
            (f"{would}accepted anew", done["accepted"] if force_new else None),
            ("replay", done["replay_id"]),
        )
    )


@app.command(epilog="Example: octobatch streams requeue campaigns --type prepare_target --dry-run")
def requeue(
    service: ServiceName,
    entry: Annotated[str | None, typer.Argument(metavar="[ENTRY]", help="This dead letter alone.")] = None,
    command: CommandType = None,
    run: RunId = None,
    operation: OperationIdOption = None,
    everything: Everything = False,
    dry_run: DryRun = False,
    output: Output = OutputFormat.TABLE,
) -> None:
    """Try dead letters again, with all their attempts."""
    wanted = {"entry_id": entry, "type": command, "run_id": run, "operation_id": operation, "all": everything}
    with open_gateway() as gateway:
        done = _act(gateway, f"/streams/{service}/requeue", {**wanted, "dry_run": dry_run})
    _print_act(done, output, verb="tried again")


@app.command(epilog="Example: octobatch streams purge campaigns --run ID")
def purge(
    service: ServiceName,
    dead: Annotated[bool, typer.Option("--dead-letters", help="Dead letters, not what waits.")] = False,
    command: CommandType = None,
    run: RunId = None,
    everything: Everything = False,
    dry_run: DryRun = False,
    yes: Yes = False,
    output: Output = OutputFormat.TABLE,
) -> None:
    """Cancel commands that no worker was given yet, or remove dead letters. Asks first."""
    wanted = {"dead_letters": dead, "type": command, "run_id": run, "all": everything}
    with open_gateway() as gateway:
        done = gateway.post(f"/streams/{service}/purge", {**wanted, "dry_run": True})
        if not dry_run and done["matched"]:
            ask(f"Cancel {done['matched']} commands for good ({_counts(done['by_type'])})?", yes=yes)
            done = _act(gateway, f"/streams/{service}/purge", {**wanted, "dry_run": False})
    _print_act(done, output, verb="cancelled")


def _act(gateway: Gateway, path: str, body: dict[str, Any]) -> dict[str, Any]:
    """Asks until all is done: one act touches so many commands at most."""
    done = gateway.post(path, body)
    while done["has_more"] and not body["dry_run"]:
        more = gateway.post(path, body)
        for name in ("matched", "operations", "requests", "stale", "unreadable"):
            more[name] += done[name]
        more["by_type"] = Counter(more["by_type"]) + Counter(done["by_type"])
        done = more
    return done


def _print_act(done: dict[str, Any], output: OutputFormat, *, verb: str) -> None:
    if output.is_for_programs:
        print_as(output, done)
        return
    print_facts(
        (
            ("meant", f"{done['matched']}{' or more' if done['has_more'] else ''} ({_counts(done['by_type'])})"),
            (f"would be {verb}" if done["dry_run"] else verb, done["operations"]),
            ("requests taken out", done["requests"] or None),
            ("not failed any more", done["stale"] or None),
            ("unreadable", done["unreadable"] or None),
        )
    )


@app.command(epilog="Examples: octobatch streams trim campaigns --older-than 1h")
def trim(
    service: ServiceName,
    older_than: Annotated[
        str | None, typer.Option("--older-than", metavar="AGE", help="90s, 15m, 2h, 7d.", show_default=False)
    ] = None,
    before: Annotated[
        str | None, typer.Option("--before-entry", metavar="ID", help="Before this entry.", show_default=False)
    ] = None,
    output: Output = OutputFormat.TABLE,
) -> None:
    """Drop finished entries of a stream; what is not acknowledged is kept. Workers trim by themselves every minute."""
    if (older_than is None) == (before is None):
        raise CommandFailed("say --older-than or --before-entry", exit_code=ExitCode.BAD_INPUT)
    age = parse_age(older_than).total_seconds() if older_than else None
    with open_gateway() as gateway:
        done = gateway.post(f"/streams/{service}/trim", {"older_than_seconds": age, "before_entry": before})
    if output.is_for_programs:
        print_as(output, done)
        return
    print_facts(
        (
            ("trimmed", done["trimmed"]),
            ("left", done["length"]),
            ("kept from", done["kept_from"]),
            ("held back by", f"group {done['held_by']}, which has not finished all before" if done["held_by"] else ""),
        )
    )


@app.command()
def audit(
    service: Annotated[
        Service | None, typer.Argument(metavar="[SERVICE]", help="campaigns, selection or tokens.", show_default=False)
    ] = None,
    limit: Limit = 20,
    output: Output = OutputFormat.TABLE,
) -> None:
    """List what operators did, newest first, and how much it changed; `octobatch audit` has every write."""
    with open_gateway() as gateway:
        found = list(gateway.items("/audit", limit=limit, part="acts", service=service))
    if output.is_for_programs:
        print_as(output, found)
        return
    print_rows(
        ("at", "actor", "act", "service", "wanted", "changed"),
        (
            (
                moment(each["at"]),
                each["actor"],
                each["action"],
                each["service"],
                _pairs(each["details"].get("wanted", {})),
                _pairs(each["details"].get("changed", {})),
            )
            for each in found
        ),
    )


def _pairs(facts: dict[str, Any]) -> str:
    return ", ".join(
        f"{name} {_counts(value) if isinstance(value, dict) else value}"  # pyright: ignore[reportUnknownArgumentType]
        for name, value in facts.items()
    )


def _counts(counts: dict[str, int]) -> str:
    return ", ".join(f"{count} {name}" for name, count in counts.items() if count) or "none"
