"""A whole selection as a file."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

from shared.domain.ids import SelectionId
from shared.domain.selection_views import ExportFormat
from shared.postgres.pool import Pool
from shared.postgres.selected_repositories import RepositoryFilter, page_repositories

from ..exporting import exported
from .schemas import ShownRepository

BATCH = 1000


def export_repositories(
    pool: Pool, selection_id: SelectionId, wanted: RepositoryFilter, *, form: ExportFormat
) -> AsyncIterator[str]:
    """The repositories as text of that format, in the selection's order; a line of CSV has their fields."""
    return exported(
        _batches(pool, selection_id, wanted),
        form,
        columns=tuple(ShownRepository.model_fields),
        cells=lambda each: list(each.model_dump(mode="json").values()),
    )


async def _batches(
    pool: Pool, selection_id: SelectionId, wanted: RepositoryFilter
) -> AsyncIterator[Sequence[ShownRepository]]:
    after = -1
    while True:
        async with pool.acquire() as conn:
            rows = await page_repositories(conn, selection_id, wanted, after=after, limit=BATCH)
        if rows:
            yield [ShownRepository.of(each) for _, each in rows]
            after = rows[-1][0]
        if len(rows) < BATCH:
            return
