"""Where things are printed: results on stdout, as tables for people or JSON for programs; everything else on stderr."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

_WIDE = 100_000  # columns where nobody looks: lines are for other programs then, which must neither wrap nor be cut


class OutputFormat(StrEnum):
    """How results are printed."""

    TABLE = "table"
    JSON = "json"


Output = Annotated[
    OutputFormat,
    typer.Option("--output", "-o", help="Print results as a table for people, or as JSON for programs."),
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
    """The console of stderr."""
    return Console(stderr=True, width=None if sys.stderr.isatty() else _WIDE, highlight=False)


def say(message: str) -> None:
    """A line on stderr; its text is never read as markup."""
    messages().print(Text(message))


def print_json(value: Any, *, indent: int | None = 2) -> None:
    """A value on stdout; without `indent` on one line."""
    print(json.dumps(value, indent=indent, ensure_ascii=False), flush=indent is None)  # noqa: T201


def print_text(text: str) -> None:
    """Text on stdout, byte for byte as it is."""
    sys.stdout.write(text)
    sys.stdout.flush()


def print_rows(columns: Sequence[str], rows: Iterable[Sequence[Any]], *, title: str = "") -> None:
    """A table on stdout."""
    results().print(table_of(columns, rows, title=title))


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
    table = Table.grid(padding=(0, 2))
    for name, value in facts:
        if value not in (None, ""):
            table.add_row(Text(name, style="bold"), _cell(value))
    results().print(table)


def _cell(value: Any) -> Text:
    if value is None:
        return Text("")
    return Text(str(value), style=STATE_STYLES.get(str(value), ""))


def moment(text: str | None) -> str:
    """An RFC 3339 time as people read it, in their own time zone."""
    if not text:
        return ""
    return datetime.fromisoformat(text).astimezone().strftime("%Y-%m-%d %H:%M:%S")


def counts_line(counts: dict[str, int]) -> str:
    """`38 open, 2 unchanged`; what is zero is left out."""
    return ", ".join(f"{count} {state}" for state, count in counts.items() if count) or "no targets"
