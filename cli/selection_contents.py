"""`octobatch selections repositories`, `facets`, `explain`, `diff` and `export`: what is in a selection, and why."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from shared.domain.selection_views import Change, ExportFormat, Facet

from .client import Gateway, open_gateway
from .exporting import ExportFile, write_pieces
from .failures import CommandFailed, ExitCode
from .joined_options import with_options_of
from .naming import SelectionArgument, find_selection
from .output import Output, OutputFormat, moment, print_as, print_facts, print_rows, say
from .selection_filters import repository_filter
from .selection_owners import owners


def register(app: typer.Typer) -> None:
    """Adds the commands to `octobatch selections`."""
    app.command(epilog="Example: octobatch selections repositories bump-go --excluded --language go")(repositories)
    app.command(epilog="Example: octobatch selections facets bump-go --by language --included")(facets)
    app.command(epilog="Example: octobatch selections explain bump-go acme/api")(explain)
    app.command(epilog="Examples: octobatch selections owners bump-go --resolve --summary · … bump-go --path go.mod")(
        owners
    )
    app.command(epilog="Examples: octobatch selections diff EARLIER LATER · octobatch selections diff bump-go")(diff)
    app.command(epilog="Example: octobatch selections export bump-go -o csv --file bump-go.csv")(export)


@with_options_of(wanted=repository_filter)
def repositories(
    *,
    selection: SelectionArgument,
    wanted: dict[str, Any],
    limit: Annotated[int | None, typer.Option(min=1, help="At most so many.", show_default=False)] = None,
    output: Output = OutputFormat.TABLE,
) -> None:
    """List the repositories of a selection, in or out, each with the reason."""
    with open_gateway() as gateway:
        path = f"/selections/{find_selection(gateway, selection)['id']}/repositories"
        found = list(gateway.items(path, limit=limit, **wanted))
    if output.is_for_programs:
        print_as(output, found)
        return
    print_rows(
        ("repository", "branch", "included", "reason"),
        ((each["repository"], each["branch"], "yes" if each["included"] else "no", each["reason"]) for each in found),
    )


@with_options_of(wanted=repository_filter)
def facets(
    *,
    selection: SelectionArgument,
    by: Annotated[
        list[Facet] | None, typer.Option("--by", help="Only this facet; may be repeated.", show_default=False)
    ] = None,
    wanted: dict[str, Any],
    output: Output = OutputFormat.TABLE,
) -> None:
    """Count the repositories of a selection by what they are like: the commonest values of each facet."""
    with open_gateway() as gateway:
        found = gateway.get(f"/selections/{find_selection(gateway, selection)['id']}/facets", **wanted)
    shown = {name: values for name, values in found["facets"].items() if not by or name in by}
    if output.is_for_programs:
        print_as(output, found | {"facets": shown})
        return
    print_rows(
        ("facet", "value", "repositories"),
        ((name, each["value"] or "(none)", each["count"]) for name, values in shown.items() for each in values),
    )
    say(f"{found['total']} repositories and branches")


def explain(
    selection: SelectionArgument,
    repository: Annotated[str, typer.Argument(metavar="REPOSITORY", help="owner/name, or a node id.")],
    output: Output = OutputFormat.TABLE,
) -> None:
    """Say why a repository is in a selection, or out, or why no entry found it."""
    with open_gateway() as gateway:
        path = f"/selections/{find_selection(gateway, selection)['id']}/explain"
        found = gateway.get(path, repository=repository)
    if output.is_for_programs:
        print_as(output, found)
        return
    known = found["known"]
    print_facts(
        (
            ("repository", found["repository"]),
            ("verdict", found["verdict"]),
            ("found by", _parts("on", found["entries"])),
            ("left out by", _parts("where", found["conditions"])),
            ("the index", f"{known['name_with_owner']}, seen {moment(known['seen_at'])}" if known else ""),
        )
    )


def _parts(name: str, parts: list[dict[str, Any]]) -> str:
    return "; ".join(f"{name}.{each['index']} {each['text']}" for each in parts)


def diff(
    selection: SelectionArgument,
    later: Annotated[
        str | None,
        typer.Argument(
            metavar="[LATER]", help="The later one. Default: SELECTION, and the earlier is the one that it repeats."
        ),
    ] = None,
    change: Annotated[Change | None, typer.Option(help="Only what changed so.", show_default=False)] = None,
    output: Output = OutputFormat.TABLE,
) -> None:
    """Compare two selections: what was added, is gone, was renamed, came in or went out."""
    with open_gateway() as gateway:
        before, after = _pair(gateway, selection, later)
        path = f"/selections/{before}/diff/{after}"
        counts = gateway.get(path, limit=1)["counts"]
        found = list(gateway.items(path, change=change))
    if output.is_for_programs:
        print_as(output, {"before": before, "after": after, "counts": counts, "differences": found})
        return
    print_rows(("change", "repository", "branch", "what"), (_difference(each) for each in found))
    say(", ".join(f"{count} {name.replace('_', ' ')}" for name, count in counts.items() if count) or "no difference")


def _pair(gateway: Gateway, selection: str, later: str | None) -> tuple[str, str]:
    first = find_selection(gateway, selection)
    if later:
        return first["id"], find_selection(gateway, later)["id"]
    if first["previous_id"] is None:
        message = f"selection {first['id']} repeats none: say which it is to be compared with"
        raise CommandFailed(message, exit_code=ExitCode.BAD_INPUT, hint="octobatch selections diff EARLIER LATER")
    return first["previous_id"], first["id"]


def _difference(each: dict[str, Any]) -> tuple[str, str, str, str]:
    before, after = each["before"], each["after"]
    now = after or before
    was = [f"was {before['name_with_owner']}"] if "renamed" in each["changes"] else []
    was += [f"was on {before['branch']}"] if "default_branch" in each["changes"] else []
    return ", ".join(each["changes"]), now["name_with_owner"], now["branch"], "; ".join([*was, now["reason"]])


@with_options_of(wanted=repository_filter)
def export(
    *,
    selection: SelectionArgument,
    form: Annotated[ExportFormat, typer.Option("--output", "-o", help="The file's format.")] = ExportFormat.CSV,
    file: ExportFile = None,
    wanted: dict[str, Any],
) -> None:
    """Write a selection, or those of it that are asked for, as CSV, JSON or JSON lines."""
    with open_gateway() as gateway:
        found = find_selection(gateway, selection)
        pieces = gateway.pieces(f"/selections/{found['id']}/export", format=form, **wanted)
        write_pieces(pieces, file)
    if file:
        say(f"the repositories are in {file}")
