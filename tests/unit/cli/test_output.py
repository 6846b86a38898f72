"""Tables: what stands in them can be copied, by people and by other programs."""

from __future__ import annotations

import json
from io import StringIO

import pytest
from rich.console import Console

from cli.output import OutputFormat, name_of, print_as, print_one_as, print_rows, records_of, table_of

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


RUN = {"id": "019c", "campaign_name": "bump-go", "state": "completed"}


def test_each_form_prints_the_same_value(capsys: pytest.CaptureFixture[str]) -> None:
    print_as(OutputFormat.JSON, [RUN])
    assert json.loads(capsys.readouterr().out) == [RUN]
    print_as(OutputFormat.YAML, [RUN])
    assert capsys.readouterr().out == "- id: 019c\n  campaign_name: bump-go\n  state: completed\n"
    print_as(OutputFormat.NAME, [RUN, RUN])
    assert capsys.readouterr().out == "019c\n019c\n"


def test_what_comes_one_after_another_is_a_line_or_a_document_each(capsys: pytest.CaptureFixture[str]) -> None:
    print_one_as(OutputFormat.JSON, RUN)
    print_one_as(OutputFormat.YAML, {"a": "é"})
    first, *document = capsys.readouterr().out.splitlines()
    assert json.loads(first) == RUN
    assert document == ["---", "a: é"]


def test_a_document_is_written_as_lines(capsys: pytest.CaptureFixture[str]) -> None:
    print_as(OutputFormat.YAML, {"document": "version: 1\nname: x\n", "state": "open"})
    assert capsys.readouterr().out == "document: |\n  version: 1\n  name: x\nstate: open\n"


def test_what_has_no_name_prints_nothing_and_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    print_as(OutputFormat.NAME, {"facets": {}})
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "no names" in printed.err


@pytest.mark.parametrize(
    ("value", "key", "name"),
    [
        ({"id": "1", "repository": "acme/api", "group": ""}, "", "acme/api"),
        ({"id": "1", "repository": "acme/mono", "group": "web"}, "", "acme/mono#web"),
        ({"target": {"id": "1", "repository": "acme/api"}, "state": "done"}, "", "acme/api"),
        ({"id": "1", "name": "bump-go"}, "name", "bump-go"),
        ({"name": "readers"}, "", "readers"),
        ({"id": 41298374}, "", "41298374"),
        ({"id": "1", "selection": {"id": "2"}}, "", "1"),
        ({"endpoint": {"id": "3"}, "secret": "whsec_x"}, "", "3"),
    ],
)
def test_a_result_is_called_as_other_commands_take_it(value: object, key: str, name: str) -> None:
    assert name_of(value, key) == name


def test_rows_are_records_where_their_words_do_not_fit() -> None:
    out = StringIO()
    [record] = records_of(("run", "error", "state"), [(SHA256, None, "open")])
    Console(file=out, width=80).print(record)
    assert [line.split() for line in out.getvalue().splitlines()] == [["run", SHA256], ["state", "open"]]
