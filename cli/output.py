"""Where things are printed: results on stdout, as tables for people or as values for programs; the rest on stderr."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from datetime import datetime
from enum import StrEnum
from io import StringIO
from typing import Annotated, Any, Literal, cast

import typer
from rich.console import Console
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text
from ruamel.yaml import YAML
from ruamel.yaml.representer import SafeRepresenter

from .invocation import invocation

_WIDE = 100_000  # columns where nobody looks: lines are for other programs then, which must neither wrap nor be cut


class OutputFormat(StrEnum):
    """How results are printed."""

    TABLE = "table"
    JSON = "json"
    YAML = "yaml"
    NAME = "name"

    @property
    def is_for_programs(self) -> bool:
        """Whether the value itself is printed, by `print_as`."""
        return self is not OutputFormat.TABLE


Output = Annotated[
    OutputFormat,
    typer.Option(
        "--output", "-o", help="A table for people, json or yaml for programs, or names alone for other commands."
    ),
]

STATE_STYLES = {
    "open": "green",
    "merged": "magenta",
    "draft": "cyan",
    "prepared": "cyan",
    "completed": "green",
    "complete": "green",
    "succeeded": "green",
    "active": "green",
    "failed": "bold red",
    "blocked": "red",
    "conflicted": "red",
    "cancelled": "yellow",
    "closed": "yellow",
    "healthy": "green",
    "unhealthy": "bold red",
    "unchanged": "dim",
    "archived": "dim",
}
"""Colours of states, the same everywhere."""


def results() -> Console:
    """The console of stdout."""
    return Console(soft_wrap=not sys.stdout.isatty(), width=None if sys.stdout.isatty() else _WIDE)


def messages() -> Console:
    """The console of stderr, which says nothing with `--quiet`."""
    return _stderr(is_quiet=invocation().is_quiet)


def say(message: str) -> None:
    """A line on stderr, but not with `--quiet`; its text is never read as markup."""
    messages().print(Text(message))


def say_always(message: Text) -> None:
    """What is said with `--quiet` too: errors, and secrets that are asked for."""
    _stderr(is_quiet=False).print(message)


def _stderr(*, is_quiet: bool) -> Console:
    return Console(stderr=True, width=None if sys.stderr.isatty() else _WIDE, highlight=False, quiet=is_quiet)


def print_as(output: OutputFormat, value: Any, *, name: str = "") -> None:
    """A value on stdout as `output` says; `name` is the key of what it is called by other commands."""
    match output:
        case OutputFormat.NAME:
            _print_names(value, name)
        case OutputFormat.YAML:
            print_text(yaml_text(value))
        case _:
            print_json(value)


def print_one_as(output: OutputFormat, value: Any) -> None:
    """One of values that come one after another: a line of JSON, or a document of YAML."""
    match output:
        case OutputFormat.NAME:
            _print_names(value, "")
        case OutputFormat.YAML:
            print_text(f"---\n{yaml_text(value)}")
        case _:
            print_json(value, indent=None)


def _print_names(value: Any, key: str) -> None:
    values = cast("list[Any]", value) if isinstance(value, list) else [value]
    names = [name for each in values if (name := name_of(each, key))]
    print_text("".join(f"{name}\n" for name in names))
    if values and not names:
        say("what this command shows has no names")


_HOLDS = ("target", "endpoint", "api_key", "bulk_operation", "run", "selection")
"""Keys of the thing that an answer is about, where it says more beside it."""


def name_of(value: Any, key: str = "") -> str:
    """What other commands call a result by: what `key` has, else its repository, its id, its name; empty without any.

    A target is called by its repository and group, as `diff` and `logs` take it.
    """
    if not isinstance(value, dict):
        return ""
    known = cast("dict[str, Any]", value)
    if key:
        return str(known.get(key) or "")
    if repository := known.get("repository"):
        return f"{repository}#{known['group']}" if known.get("group") else str(repository)
    if own := known.get("id") or known.get("name"):
        return str(own)
    return next((name_of(known[each]) for each in _HOLDS if each in known), "")


class _Lines(SafeRepresenter):
    """Writes text of several lines, such as a spec, as lines."""


def _represent_text(representer: SafeRepresenter, text: str) -> Any:
    return representer.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Lines.add_representer(str, _represent_text)


def yaml_text(value: Any) -> str:
    """A value as a YAML document, its keys in their order."""
    writer, text = YAML(typ="safe", pure=True), StringIO()
    writer.Representer = _Lines
    writer.default_flow_style = False
    writer.width = _WIDE
    writer.allow_unicode = True
    writer.sort_base_mapping_type_on_output = False  # pyright: ignore[reportAttributeAccessIssue]
    writer.dump(json.loads(json.dumps(value)), text)  # enums and the like are text then
    return text.getvalue()


def print_json(value: Any, *, indent: int | None = 2) -> None:
    """A value on stdout; without `indent` on one line."""
    print(json.dumps(value, indent=indent, ensure_ascii=False), flush=indent is None)  # noqa: T201


def print_text(text: str) -> None:
    """Text on stdout, byte for byte as it is."""
    sys.stdout.write(text)
    sys.stdout.flush()


def print_rows(columns: Sequence[str], rows: Iterable[Sequence[Any]], *, title: str = "") -> None:
    """A table on stdout; on a terminal that is too narrow for its words, a record for each row.

    Where there are no rows, stderr says so.
    """
    found, console = list(rows), results()
    table = table_of(columns, found, title=title)
    if found and console.is_terminal and _least_width(table, console) > console.width:
        for record in records_of(columns, found):
            console.print(record, "")
    else:
        _keep_words_whole(table, found)
        console.print(table)
    if not found:
        say("there are none")


def _least_width(table: Table, console: Console) -> int:
    """Columns that the table needs so that no word in it, such as an id, is broken."""
    return Measurement.get(console, console.options.update(max_width=_WIDE), table).minimum


def _keep_words_whole(table: Table, rows: Sequence[Sequence[Any]]) -> None:
    """Has columns of sentences wrapped before those of single words, such as ids."""
    for column, values in zip(table.columns, zip(*rows, strict=True), strict=False):
        column.no_wrap = not any(" " in str(value) for value in values)


def records_of(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> list[Table]:
    """Rows as names and values, one a line; what is empty is left out."""
    return [_facts(zip(columns, row, strict=True)) for row in rows]


def table_of(columns: Sequence[str], rows: Iterable[Sequence[Any]], *, title: str = "") -> Table:
    """A table; numbers stand to the right, states have their colours."""
    table = Table(*columns, title=title or None, title_justify="left", box=None, pad_edge=False, header_style="bold")
    for column in table.columns:
        column.overflow = "fold"  # ids are copied from tables: a cut one is worth nothing
    for row in rows:
        for column, value in zip(table.columns, row, strict=True):
            if isinstance(value, int):
                column.justify = "right"
        table.add_row(*(_cell(value) for value in row))
    return table


def print_facts(facts: Iterable[tuple[str, Any]]) -> None:
    """Names and values on stdout, one a line; what is None or empty is left out."""
    results().print(_facts(facts))


def _facts(facts: Iterable[tuple[str, Any]]) -> Table:
    table = Table.grid(padding=(0, 2))
    for name, value in facts:
        if value not in (None, ""):
            table.add_row(Text(name, style="bold"), _cell(value, overflow="fold"))
    return table


def _cell(value: Any, *, overflow: Literal["fold"] | None = None) -> Text:
    if value is None:
        return Text("")
    return Text(str(value), style=STATE_STYLES.get(str(value), ""), overflow=overflow)


def moment(text: str | None) -> str:
    """An RFC 3339 time as people read it, in their own time zone."""
    if not text:
        return ""
    return datetime.fromisoformat(text).astimezone().strftime("%Y-%m-%d %H:%M:%S")


def counts_line(counts: dict[str, int]) -> str:
    """`38 open, 2 unchanged`; what is zero is left out."""
    return ", ".join(f"{count} {state}" for state, count in counts.items() if count) or "no targets"
