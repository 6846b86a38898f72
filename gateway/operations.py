"""Operations: what became of each accepted command."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter

from shared.domain.ids import OperationId, RunId
from shared.domain.operation import OperationState
from shared.postgres import runs
from shared.postgres.operations import get_operation as read_operation
from shared.postgres.operations import list_operations_of_run

from .auth import SignedIn
from .paging import Cursor, Limit, Page, id_in, page
from .resources import Opened
from .schemas import ShownOperation

router = APIRouter(tags=["operations"])


@router.get("/operations/{operation_id}")
async def get_operation(operation_id: UUID, resources: Opened, _: SignedIn) -> ShownOperation:
    """One operation."""
    async with resources.pool.acquire() as conn:
        return ShownOperation.model_validate(await read_operation(conn, OperationId(operation_id)))


@router.get("/runs/{run_id}/operations")
async def list_operations(
    run_id: UUID,
    resources: Opened,
    _: SignedIn,
    state: OperationState | None = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Page[ShownOperation]:
    """The commands that were accepted for a run, in their order, and what became of each."""
    after = id_in(cursor)
    async with resources.pool.acquire() as conn:
        run = await runs.get_run(conn, RunId(run_id))
        found = await list_operations_of_run(
            conn, run_id=run.id, state=state, after=OperationId(after) if after else None, limit=limit + 1
        )
    return page(found, limit=limit, position=lambda each: each.id, show=ShownOperation.model_validate)
