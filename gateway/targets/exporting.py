"""The targets of a run as a file."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query
from fastapi.responses import StreamingResponse

from shared.domain.bulk import TargetFilter
from shared.domain.ids import RunId, TargetId
from shared.domain.selection_views import ExportFormat
from shared.postgres import runs
from shared.postgres.chosen_targets import BATCH, page_chosen
from shared.postgres.pool import Pool
from shared.postgres.target_conditions import values_of

from ..auth import SignedIn
from ..exporting import ANSWERS, MEDIA_TYPES, exported
from ..resources import Opened
from .filtering import TargetsWanted
from .schemas import ShownTarget

router = APIRouter(tags=["targets"])

COLUMNS = (
    "id", "run_id", "repository", "base_branch", "branch", "group", "state", "review_state", "checks_state", "reason",
    "files", "additions", "deletions", "pull_request_number", "pull_request_url", "created_at", "updated_at",
)  # fmt: skip
"""Columns of a CSV file."""


@router.get("/runs/{run_id}/targets/export", response_class=StreamingResponse, responses=ANSWERS)
async def export_targets(
    run_id: UUID,
    resources: Opened,
    _: SignedIn,
    wanted: TargetsWanted,
    form: Annotated[ExportFormat, Query(alias="format")] = ExportFormat.JSON,
) -> StreamingResponse:
    """The targets of a run as a file: `csv`, `json` (one array) or `jsonl` (an object a line)."""
    async with resources.pool.acquire() as conn:
        run = await runs.get_run(conn, RunId(run_id))
        await values_of(conn, wanted, run.id)  # what cannot be asked for is said before the file begins
    batches = _batches(resources.pool, run.id, wanted)
    return StreamingResponse(
        exported(batches, form, columns=COLUMNS, cells=_cells),
        media_type=MEDIA_TYPES[form],
        headers={"Content-Disposition": f'attachment; filename="targets-{run.id}.{form}"'},
    )


async def _batches(pool: Pool, run_id: RunId, wanted: TargetFilter) -> AsyncIterator[Sequence[ShownTarget]]:
    after: TargetId | None = None
    while True:
        async with pool.acquire() as conn:
            found = await page_chosen(conn, run_id, wanted, after=after, limit=BATCH)
        if found:
            yield [ShownTarget.model_validate(each) for each in found]
            after = found[-1].id
        if len(found) < BATCH:
            return


def _cells(target: ShownTarget) -> Sequence[Any]:
    stat, pull_request = target.diff_stat, target.pull_request
    flat = target.model_dump(mode="json") | {
        "files": stat and stat.files,
        "additions": stat and stat.additions,
        "deletions": stat and stat.deletions,
        "pull_request_number": pull_request and pull_request.number,
        "pull_request_url": pull_request and pull_request.url,
    }
    return [flat[column] for column in COLUMNS]
