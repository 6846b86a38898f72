"""Lists as files, a batch at a time: memory stays flat however long they are."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any, TypeVar

from pydantic import BaseModel

from shared.domain.selection_views import ExportFormat

M = TypeVar("M", bound=BaseModel)

MEDIA_TYPES = {
    ExportFormat.CSV: "text/csv; charset=utf-8",
    ExportFormat.JSON: "application/json",
    ExportFormat.JSONL: "application/x-ndjson",
}

ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {
        "content": {
            "application/json": {"schema": {"type": "array"}},
            "text/csv": {"schema": {"type": "string"}},
            "application/x-ndjson": {"schema": {"type": "string"}},
        }
    }
}
"""What a route that writes files answers, for its description."""

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


async def exported(
    batches: AsyncIterator[Sequence[M]],
    form: ExportFormat,
    *,
    columns: Sequence[str],
    cells: Callable[[M], Sequence[Any]],
) -> AsyncIterator[str]:
    """The items of the batches, none of them empty, as text of that format; `cells` are those of a line of CSV."""
    yield {ExportFormat.CSV: csv_lines([columns]), ExportFormat.JSON: "[", ExportFormat.JSONL: ""}[form]
    is_first = True
    async for batch in batches:
        if form is ExportFormat.CSV:
            yield csv_lines([[csv_cell(value) for value in cells(each)] for each in batch])
        else:
            yield _json(batch, form, is_first=is_first)
        is_first = False
    if form is ExportFormat.JSON:
        yield "]\n"


def _json(batch: Sequence[BaseModel], form: ExportFormat, *, is_first: bool) -> str:
    lines = [each.model_dump_json() for each in batch]
    if form is ExportFormat.JSONL:
        return "\n".join(lines) + "\n"
    return ("\n" if is_first else ",\n") + ",\n".join(lines)


def csv_lines(rows: Sequence[Sequence[str]]) -> str:
    """Rows as CSV (RFC 4180)."""
    written = io.StringIO()
    csv.writer(written).writerows(rows)
    return written.getvalue()


def csv_cell(value: Any) -> str:
    """A value as a cell: lists with spaces between, mappings as JSON, and nothing that a spreadsheet would calculate.

    Text that begins like a formula gets an apostrophe before it (OWASP, CSV injection).
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        text = " ".join(map(str, value))  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
    else:
        text = json.dumps(value, ensure_ascii=False) if isinstance(value, dict) else str(value)
    return f"'{text}" if text.startswith(_FORMULA_STARTS) else text
