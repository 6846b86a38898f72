"""A run: bars by state that move while it runs, and its targets."""

from __future__ import annotations

from typing import Literal
from uuid import UUID

from fastapi import APIRouter, Request, Response

from shared.clock import utcnow
from shared.domain.ids import RunId, TargetId
from shared.domain.target import TargetState
from shared.postgres import runs, targets

from ..paging import Cursor, id_in, page
from ..resources import Opened
from ..runs.pace import get_standing, look_ahead
from ..runs.schemas import ShownRun
from ..targets.schemas import ShownTarget
from .kit import PAGE, render

router = APIRouter(include_in_schema=False)


@router.get("/ui/runs/{run_id}")
async def run_page(
    request: Request,
    run_id: UUID,
    resources: Opened,
    state: TargetState | Literal[""] = "",
    repository: str = "",
    cursor: Cursor = None,
) -> Response:
    """A run: bars by state that move while it runs, and its targets."""
    after = id_in(cursor)
    async with resources.pool.acquire() as conn:
        run = await runs.get_run(conn, RunId(run_id))
        counts = await targets.count_by_state(conn, run.id)
        standing = await get_standing(conn, run, now=utcnow())
        rows = await targets.page_targets(
            conn,
            run.id,
            states=[state] if state else (),
            repository=repository or None,
            after=TargetId(after) if after else None,
            limit=PAGE + 1,
        )
    outlook = await look_ahead(resources, standing)
    shown = page(rows, limit=PAGE, position=lambda each: each.id, show=ShownTarget.model_validate)
    return await render(
        request,
        resources,
        "run.html",
        run=ShownRun.model_validate(run),
        counts=counts,
        waits_for=[wait.in_words(utcnow()) for wait in outlook.waits_for],
        expected_at=outlook.expected_at,
        states=list(TargetState),
        rows=shown.items,
        next_cursor=shown.next_cursor,
        state=state,
        repository=repository,
    )
