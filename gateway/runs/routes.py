"""Runs: start, read, cancel, their targets, and their events as they happen."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Response

from shared.clock import utcnow
from shared.domain.bulk import TargetFilter
from shared.domain.ids import RunId, TargetId
from shared.domain.roles import Role
from shared.domain.run import RunState
from shared.domain.target_views import TargetRow, TargetSort
from shared.postgres import runs, selections, target_warnings
from shared.postgres.chosen_targets import page_chosen
from shared.postgres.target_counts import count_by_state
from shared.postgres.target_table import Place, Scope, page_table, place_of

from ..auth import SignedIn
from ..events.responses import EventStream, LastEventId
from ..events.watching import Watcher
from ..idempotency import IdempotencyKey
from ..paging import Cursor, Included, Limit, Page, id_in, in_range, page, sorted_position, sorted_values_in
from ..resources import Opened, Resources
from ..schemas import EVENT_STREAM, Moment, ShownOperation
from ..selections.schemas import ShownSelection
from ..targets.filtering import TargetsWanted
from ..targets.schemas import ShownTarget
from ..versions import V1
from ..waiting import Waits
from . import operations, pausing
from .pace import get_standing, look_ahead
from .schemas import NewRun, RunDetails, RunPart, RunSort, ShownRun, ShownWait, ShownWarningCount, StartedRun

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
    principal: SignedIn,
    campaign: str | None = None,
    state: Annotated[list[RunState] | None, Query(description="any of these states")] = None,
    since: Annotated[Moment | None, Query(description="started at this time or later")] = None,
    sort: Annotated[RunSort, Query(description="`-` before it: the last comes first")] = RunSort.CREATED_LAST,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Page[ShownRun]:
    """Runs, newest first unless `sort` says otherwise."""
    after = sorted_values_in(cursor, sort, UUID)
    async with resources.pool.acquire() as conn:
        rows = await runs.page_runs(
            conn,
            namespaces=principal.namespaces(Role.VIEWER),
            campaign=campaign,
            states=state or (),
            since=since,
            after=RunId(after[0]) if after else None,
            oldest_first=sort is RunSort.CREATED,
            limit=limit + 1,
        )
    position = partial(sorted_position, sort)
    return page(rows, limit=limit, position=lambda each: position(each.id), show=ShownRun.model_validate)


@router.get("/runs/{run_id}")
async def get_run(
    run_id: UUID, resources: Opened, _: SignedIn, include: Annotated[Included[RunPart], Query()] = None
) -> RunDetails:
    """One run, with its targets counted by state. `include` gives some of its parts alone; what is left out is null."""
    parts = set(RunPart) if include is None else set(include)
    async with resources.pool.acquire() as conn, conn.transaction(isolation="repeatable_read", readonly=True):
        run = await runs.get_run(conn, RunId(run_id))
        shown = RunDetails.model_validate(ShownRun.model_validate(run).model_dump())
        if RunPart.COUNTS in parts:
            shown.counts = await count_by_state(conn, run.id)
        if RunPart.WARNINGS in parts:
            warnings = await target_warnings.count_warnings(conn, run.id)
            shown.warnings = [ShownWarningCount.model_validate(each) for each in warnings]
        if RunPart.SELECTION in parts and run.selection_id:
            shown.selection = ShownSelection.model_validate(await selections.get_selection(conn, run.selection_id))
        standing = await get_standing(conn, run, now=utcnow()) if RunPart.OUTLOOK in parts else None
    if standing:
        outlook = await look_ahead(resources, standing)
        shown.limits_allow_at, shown.expected_at = outlook.limits_allow_at, outlook.expected_at
        shown.waits_for = [ShownWait.of(wait, utcnow()) for wait in outlook.waits_for]
    return shown


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
    sort: Annotated[TargetSort | None, Query(description="none: as they were planned; `-`: the last first")] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Page[ShownTarget]:
    """The targets of a run."""
    if sort:
        return await _sorted_targets(resources, RunId(run_id), wanted, sort, limit=limit, cursor=cursor)
    after = id_in(cursor)
    async with resources.pool.acquire() as conn:
        await runs.get_run(conn, RunId(run_id))
        rows = await page_chosen(conn, RunId(run_id), wanted, after=TargetId(after) if after else None, limit=limit + 1)
    return page(rows, limit=limit, position=lambda each: each.id, show=ShownTarget.model_validate)


_READ_AS: dict[str, Callable[[str], Any]] = {
    "repository": str,
    "state": str,
    "updated": datetime.fromisoformat,
    "size": in_range,
}


async def _sorted_targets(
    resources: Resources, run_id: RunId, wanted: TargetFilter, sort: TargetSort, *, limit: int, cursor: str | None
) -> Page[ShownTarget]:
    given = sorted_values_in(cursor, sort, _READ_AS[sort.column], UUID)
    after = Place(value=given[0], target_id=given[1]) if given else None
    async with resources.pool.acquire() as conn:
        await runs.get_run(conn, run_id)
        rows = await page_table(
            conn, Scope(namespaces=None, run_id=run_id), wanted, sort=sort, after=after, limit=limit + 1
        )

    def position(row: TargetRow) -> str:
        place = place_of(row, sort)
        return sorted_position(sort, place.value, place.target_id)

    return page(rows, limit=limit, position=position, show=lambda row: ShownTarget.model_validate(row.target))


@router.get("/runs/{run_id}/events", response_class=EventStream, responses=EVENT_STREAM)
async def run_events(run_id: UUID, resources: Opened, _: SignedIn, last_event_id: LastEventId = None) -> EventStream:
    """The run as Server-Sent Events: a `snapshot`, then each event, then `end`. Honours `Last-Event-ID`."""
    async with resources.pool.acquire() as conn:
        await runs.get_run(conn, RunId(run_id))
    return EventStream(Watcher(resources.hub, RunId(run_id), last_event_id=last_event_id))
