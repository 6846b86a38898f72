"""Selections: which repositories a spec selects, and why."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter, Response

from shared.domain import commands
from shared.domain.ids import SelectionId, new_id
from shared.domain.spec import parse_spec
from shared.postgres import selections

from ..auth import SignedIn
from ..paging import Cursor, Limit, Page, number_in, page
from ..resources import Opened
from ..schemas import ShownOperation, SpecDocument
from .schemas import ShownRepository, ShownSelection, StartedSelection, shown_repository

router = APIRouter(prefix="/selections", tags=["selections"])


@router.post("", status_code=202)
async def start_selection(
    body: SpecDocument, response: Response, resources: Opened, principal: SignedIn
) -> StartedSelection:
    """Select repositories as a spec says, and do nothing with them."""
    parse_spec(body.document)
    selection_id = SelectionId(new_id())
    async with resources.outbox.transaction() as work:
        selection = await selections.insert_selection(
            work.conn, selection_id=selection_id, document=body.document, created_by=principal.actor
        )
        [operation] = await work.accept(commands.select_repositories(selection_id, actor=principal.actor))
    response.headers["Location"] = f"/operations/{operation.id}"
    return StartedSelection(
        selection=ShownSelection.model_validate(selection), operation=ShownOperation.model_validate(operation)
    )


@router.get("/{selection_id}")
async def get_selection(selection_id: UUID, resources: Opened, _: SignedIn) -> ShownSelection:
    """One selection."""
    async with resources.pool.acquire() as conn:
        return ShownSelection.model_validate(await selections.get_selection(conn, SelectionId(selection_id)))


@router.get("/{selection_id}/repositories")
async def list_repositories(
    selection_id: UUID,
    resources: Opened,
    _: SignedIn,
    included: bool | None = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Page[ShownRepository]:
    """The repositories of a selection, in its order, each with the reason for in or out."""
    after = number_in(cursor)
    async with resources.pool.acquire() as conn:
        await selections.get_selection(conn, SelectionId(selection_id))
        rows = await selections.list_selected(
            conn,
            SelectionId(selection_id),
            included=included,
            after=-1 if after is None else after,
            limit=limit + 1,
        )
    return page(rows, limit=limit, position=lambda row: row[0], show=lambda row: shown_repository(row[1]))
