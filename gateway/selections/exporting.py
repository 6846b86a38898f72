"""A whole selection as a file, a batch at a time: memory stays flat however many repositories there are."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import AsyncIterator, Sequence
from typing import Any

from shared.domain.ids import SelectionId
from shared.domain.selection_views import ExportFormat
from shared.postgres.pool import Pool
from shared.postgres.selected_repositories import RepositoryFilter, page_repositories

from .schemas import ShownRepository

BATCH = 1000

COLUMNS = tuple(ShownRepository.model_fields)
"""Columns of a CSV file, which has the fields of a repository in their order."""


MEDIA_TYPES = {
    ExportFormat.CSV: "text/csv; charset=utf-8",
    ExportFormat.JSON: "application/json",
    ExportFormat.JSONL: "application/x-ndjson",
}

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


async def export_repositories(
    pool: Pool, selection_id: SelectionId, wanted: RepositoryFilter, *, form: ExportFormat
) -> AsyncIterator[str]:
    """The repositories as text of that format, in the selection's order."""
    yield {ExportFormat.CSV: csv_lines([COLUMNS]), ExportFormat.JSON: "[", ExportFormat.JSONL: ""}[form]
    after = -1
    while True:
        async with pool.acquire() as conn:
            rows = await page_repositories(conn, selection_id, wanted, after=after, limit=BATCH)
        if rows:
            yield _text([ShownRepository.of(each) for _, each in rows], form, is_first=after < 0)
            after = rows[-1][0]
        if len(rows) < BATCH:
            break
    if form is ExportFormat.JSON:
        yield "]\n"


def _text(shown: Sequence[ShownRepository], form: ExportFormat, *, is_first: bool) -> str:
    if form is ExportFormat.CSV:
        return csv_lines([[csv_cell(value) for value in each.model_dump(mode="json").values()] for each in shown])
    lines = [each.model_dump_json() for each in shown]
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
