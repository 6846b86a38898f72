"""Tables: what stands in them can be copied, by people and by other programs."""

from __future__ import annotations

from io import StringIO

import pytest
from rich.console import Console

from cli.output import print_rows, table_of

SHA256 = "9zBp0cM2mVx7vQ1fZ3k8bnh5yJ4lR6tWQe0sUaOiDgk="
COLUMNS = ("sha-256", "why")


def test_where_nobody_looks_a_row_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    reason = "not among these repositories " * 40
    print_rows(COLUMNS, [(SHA256, reason)])
    [_, row] = capsys.readouterr().out.splitlines()
    assert row.split("  ")[0] == SHA256
    assert row.rstrip().endswith(reason.rstrip())


def test_a_narrow_terminal_folds_what_is_long_and_cuts_nothing() -> None:
    out = StringIO()
    Console(file=out, width=30).print(table_of(COLUMNS, [(SHA256, "lost")]))
    assert "…" not in out.getvalue()
    assert "".join(line[:24].strip() for line in out.getvalue().splitlines()[1:]) == SHA256
