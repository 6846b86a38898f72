"""Operations: what became of each accepted command."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter

from shared.domain.ids import OperationId
from shared.postgres.operations import get_operation as read_operation

from .auth import SignedIn
from .resources import Opened
from .schemas import ShownOperation

router = APIRouter(prefix="/operations", tags=["operations"])


@router.get("/{operation_id}")
async def get_operation(operation_id: UUID, resources: Opened, _: SignedIn) -> ShownOperation:
    """One operation."""
    async with resources.pool.acquire() as conn:
        return ShownOperation.model_validate(await read_operation(conn, OperationId(operation_id)))
