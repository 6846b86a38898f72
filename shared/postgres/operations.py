"""Operations: accepted commands and what became of them."""

from __future__ import annotations

from collections.abc import Sequence

from ..domain.ids import OperationId, RunId
from ..domain.operation import NewOperation, Operation
from .pool import Connection


async def get_operation(conn: Connection, operation_id: OperationId) -> Operation:
    """The operation; raises `NotFound`."""
    raise NotImplementedError


async def list_operations_of_run(
    conn: Connection, *, run_id: RunId, after: OperationId | None = None, limit: int = 100
) -> list[Operation]:
    """Operations of a run in the order they were accepted, after the operation `after`."""
    raise NotImplementedError


async def accept_operations(
    conn: Connection, *, commands: Sequence[NewOperation]
) -> tuple[list[Operation], list[Operation]]:
    """Stores commands in one statement: all operations in the commands' order, and those of them that are new."""
    raise NotImplementedError
