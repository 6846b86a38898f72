"""Selections: made by a spec, watched, repeated and cancelled."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Header
from fastapi.responses import StreamingResponse

from shared.domain.ids import SelectionId
from shared.domain.operation import Operation
from shared.domain.roles import Role
from shared.domain.selection import Selection, SelectionState
from shared.postgres import selections

from ..auth import SignedIn
from ..idempotency import IdempotencyKey
from ..paging import Cursor, Limit, Page, id_in, page
from ..resources import Opened
from ..schemas import EVENT_STREAM, ShownOperation
from ..versions import V1
from ..waiting import Waiting, Waits
from . import operations
from .events import watch_selection
from .schemas import GivenRepeat, NewSelection, SelectionDetails, ShownSelection, StartedSelection

router = APIRouter(prefix="/selections", tags=["selections"])


@router.post("", status_code=202, responses={200: {"model": StartedSelection}})
async def start_selection(
    body: NewSelection,
    resources: Opened,
    principal: SignedIn,
    waiting: Waits,
    idempotency_key: IdempotencyKey = None,
) -> StartedSelection:
    """Select repositories as a spec says, and do nothing with them. The same `Idempotency-Key` selects once."""
    selection, operation = await operations.start_selection(
        resources.outbox,
        document=body.document,
        fresh=body.fresh,
        actor=principal.actor,
        idempotency_key=idempotency_key,
    )
    return await _started(waiting, selection, operation)


@router.get("")
async def list_selections(
    resources: Opened,
    principal: SignedIn,
    state: SelectionState | None = None,
    name: str | None = None,
    campaign: str | None = None,
    schedule_id: UUID | None = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Page[ShownSelection]:
    """Selections, newest first: by the `name` in the spec, of the runs of a `campaign`, or of a schedule."""
    before = id_in(cursor)
    async with resources.pool.acquire() as conn:
        rows = await selections.page_selections(
            conn,
            namespaces=principal.namespaces(Role.VIEWER),
            state=state,
            name=name,
            campaign=campaign,
            schedule_id=schedule_id,
            before=SelectionId(before) if before else None,
            limit=limit + 1,
        )
    return page(rows, limit=limit, position=lambda each: each.id, show=ShownSelection.model_validate)


@router.get("/{selection_id}")
async def get_selection(selection_id: UUID, resources: Opened, _: SignedIn) -> SelectionDetails:
    """One selection: how far it is, what it cost, and the spec that it was made from."""
    async with resources.pool.acquire() as conn:
        return SelectionDetails.model_validate(await selections.get_selection(conn, SelectionId(selection_id)))


@router.post("/{selection_id}/cancel")
async def cancel_selection(selection_id: UUID, resources: Opened, _: SignedIn) -> ShownSelection:
    """Cancel a selection that is being made; one of a run is cancelled with its run."""
    return ShownSelection.model_validate(await operations.cancel_selection(resources.outbox, selection_id))


@router.post("/{selection_id}/repeat", status_code=202, responses={200: {"model": StartedSelection}})
async def repeat_selection(
    selection_id: UUID,
    body: GivenRepeat,
    resources: Opened,
    principal: SignedIn,
    waiting: Waits,
    idempotency_key: IdempotencyKey = None,
) -> StartedSelection:
    """Make a selection of the same spec again, to be compared with this one."""
    selection, operation = await operations.repeat_selection(
        resources.outbox,
        selection_id,
        fresh=body.fresh,
        actor=principal.actor,
        idempotency_key=idempotency_key,
    )
    return await _started(waiting, selection, operation)


@router.get("/{selection_id}/events", response_class=StreamingResponse, responses=EVENT_STREAM)
async def selection_events(
    selection_id: UUID, resources: Opened, _: SignedIn, last_event_id: Annotated[str | None, Header()] = None
) -> StreamingResponse:
    """The selection as Server-Sent Events: a `snapshot`, `progress` when something changed, `end`.

    Each is the whole selection. `Last-Event-ID` is honoured.
    """
    async with resources.pool.acquire() as conn:
        await selections.get_progress(conn, SelectionId(selection_id))
    return StreamingResponse(
        watch_selection(resources, SelectionId(selection_id), last_event_id=last_event_id),
        media_type="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


async def _started(waiting: Waiting, selection: Selection, operation: Operation) -> StartedSelection:
    waiting.response.headers["Location"] = f"{V1}/operations/{operation.id}"
    operation = await waiting.for_operation(operation)
    if operation.finished_at:
        async with waiting.resources.pool.acquire() as conn:
            selection = await selections.get_selection(conn, selection.id)
    return StartedSelection(
        selection=ShownSelection.model_validate(selection), operation=ShownOperation.model_validate(operation)
    )
