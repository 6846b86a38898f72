"""Runs: start, read, cancel, their targets, and their events as they happen."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter, Response

from shared.clock import utcnow
from shared.domain.ids import RunId, TargetId
from shared.domain.run import RunState
from shared.postgres import runs, selections, target_warnings, targets
from shared.postgres.chosen_targets import page_chosen

from ..auth import SignedIn
from ..events.responses import EventStream, LastEventId
from ..events.watching import Watcher
from ..idempotency import IdempotencyKey
from ..paging import Cursor, Limit, Page, id_in, page
from ..resources import Opened
from ..schemas import EVENT_STREAM, ShownOperation
from ..selections.schemas import ShownSelection
from ..targets.filtering import TargetsWanted
from ..targets.schemas import ShownTarget
from ..versions import V1
from ..waiting import Waits
from . import operations, pausing
from .pace import get_standing, look_ahead
from .schemas import NewRun, RunDetails, ShownRun, ShownWait, ShownWarningCount, StartedRun

router = APIRouter(tags=["runs"])


@router.post("/campaigns/{name}/runs", status_code=202, responses={200: {"model": StartedRun}})
async def start_run(
    name: str,
    body: NewRun,
    response: Response,
    resources: Opened,
    principal: SignedIn,
    waiting: Waits,
    idempotency_key: IdempotencyKey = None,
) -> StartedRun:
    """Start a run, or publish exactly what a preview has prepared. The same `Idempotency-Key` gives the same run."""
    order = operations.RunOrder(
        campaign=name,
        dry_run=body.dry_run,
        version=body.version,
        preview_run_id=RunId(body.preview_run_id) if body.preview_run_id else None,
        moved=body.moved,
    )
    run, operation = await operations.start_run(
        resources.outbox,
        order,
        actor=principal.actor,
        idempotency_key=idempotency_key,
        run_steps_mode=resources.settings.run_steps_mode,
    )
    response.headers["Location"] = f"{V1}/operations/{operation.id}"
    operation = await waiting.for_operation(operation)
    if operation.finished_at:
        async with resources.pool.acquire() as conn:
            run = await runs.get_run(conn, run.id)
    return StartedRun(run=ShownRun.model_validate(run), operation=ShownOperation.model_validate(operation))


@router.get("/runs")
async def list_runs(
    resources: Opened,
    _: SignedIn,
    campaign: str | None = None,
    state: RunState | None = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Page[ShownRun]:
    """Runs, newest first."""
    before = id_in(cursor)
    async with resources.pool.acquire() as conn:
        rows = await runs.page_runs(
            conn, campaign=campaign, state=state, before=RunId(before) if before else None, limit=limit + 1
        )
    return page(rows, limit=limit, position=lambda each: each.id, show=ShownRun.model_validate)


@router.get("/runs/{run_id}")
async def get_run(run_id: UUID, resources: Opened, _: SignedIn) -> RunDetails:
    """One run, with its targets counted by state."""
    async with resources.pool.acquire() as conn, conn.transaction(isolation="repeatable_read", readonly=True):
        run = await runs.get_run(conn, RunId(run_id))
        counts = await targets.count_by_state(conn, run.id)
        selection = await selections.get_selection(conn, run.selection_id) if run.selection_id else None
        standing = await get_standing(conn, run, now=utcnow())
        warnings = await target_warnings.count_warnings(conn, run.id)
    outlook = await look_ahead(resources, standing)
    return RunDetails(
        **ShownRun.model_validate(run).model_dump(),
        counts=counts,
        warnings=[ShownWarningCount.model_validate(each) for each in warnings],
        selection=ShownSelection.model_validate(selection) if selection else None,
        limits_allow_at=outlook.limits_allow_at,
        waits_for=[ShownWait.of(wait, utcnow()) for wait in outlook.waits_for],
        expected_at=outlook.expected_at,
    )


@router.post("/runs/{run_id}/cancel")
async def cancel_run(run_id: UUID, resources: Opened, _: SignedIn) -> ShownRun:
    """Cancel a run. After the answer nothing more is published; open pull requests stay open."""
    return ShownRun.model_validate(await operations.cancel_run(resources.outbox, run_id))


@router.post("/runs/{run_id}/pause")
async def pause_run(run_id: UUID, resources: Opened, principal: SignedIn) -> ShownRun:
    """Pause a run. After the answer nothing new is begun or published; what is being published at this moment ends."""
    return ShownRun.model_validate(await pausing.pause_run(resources.outbox, run_id, actor=principal.actor))


@router.post("/runs/{run_id}/resume")
async def resume_run(run_id: UUID, resources: Opened, principal: SignedIn) -> ShownRun:
    """Go on where the run was paused."""
    return ShownRun.model_validate(await pausing.resume_run(resources.outbox, run_id, actor=principal.actor))


@router.get("/runs/{run_id}/targets")
async def list_targets(
    run_id: UUID,
    resources: Opened,
    _: SignedIn,
    wanted: TargetsWanted,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Page[ShownTarget]:
    """The targets of a run."""
    after = id_in(cursor)
    async with resources.pool.acquire() as conn:
        await runs.get_run(conn, RunId(run_id))
        rows = await page_chosen(conn, RunId(run_id), wanted, after=TargetId(after) if after else None, limit=limit + 1)
    return page(rows, limit=limit, position=lambda each: each.id, show=ShownTarget.model_validate)


@router.get("/runs/{run_id}/events", response_class=EventStream, responses=EVENT_STREAM)
async def run_events(run_id: UUID, resources: Opened, _: SignedIn, last_event_id: LastEventId = None) -> EventStream:
    """The run as Server-Sent Events: a `snapshot`, then each event, then `end`. Honours `Last-Event-ID`."""
    async with resources.pool.acquire() as conn:
        await runs.get_run(conn, RunId(run_id))
    return EventStream(Watcher(resources.hub, RunId(run_id), last_event_id=last_event_id))
