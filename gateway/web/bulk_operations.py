"""Bulk operations: all of them, and one as it goes, with what became of each target."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response

from shared.domain.bulk import BulkOperation, BulkState, BulkTargetState
from shared.domain.ids import BulkOperationId, RunId, TargetId
from shared.domain.roles import Role
from shared.postgres import bulk_operations, namespaces

from ..auth import SignedIn
from ..paging import Cursor, id_in, next_cursor
from ..resources import Opened
from .kit import PAGE, render, wants_part
from .target_table import ACTIONS, told

router = APIRouter(include_in_schema=False)

_NAMES = {
    BulkTargetState.DONE: "done",
    BulkTargetState.PENDING: "to do",
    BulkTargetState.FAILED: "failed",
    BulkTargetState.SKIPPED: "left alone",
    BulkTargetState.CANCELLED: "cancelled",
}
"""What became of targets, in the order of the bar."""


@router.get("/ui/bulk-operations")
async def bulk_operations_page(
    request: Request,
    resources: Opened,
    principal: SignedIn,
    campaign: Annotated[str, Query(max_length=200)] = "",
    run_id: UUID | None = None,
    cursor: Cursor = None,
) -> Response:
    """All bulk operations, newest first."""
    before = id_in(cursor)
    async with resources.pool.acquire() as conn:
        found = await bulk_operations.page_bulk_operations(
            conn,
            namespaces=principal.namespaces(Role.VIEWER),
            campaign=campaign or None,
            run_id=RunId(run_id) if run_id else None,
            before=BulkOperationId(before) if before else None,
            limit=PAGE + 1,
        )
    return await render(
        request,
        resources,
        "bulk-operations.html",
        room="Bulk operations",
        operations=[_shown(each) for each in found[:PAGE]],
        following=next_cursor(found, limit=PAGE, position=lambda each: each.id),
        campaign=campaign,
        run_id=run_id,
        is_running=any(each.state is BulkState.RUNNING for each in found),
    )


@router.get("/ui/bulk-operations/{bulk_id}")
async def bulk_operation_page(
    request: Request,
    bulk_id: UUID,
    resources: Opened,
    principal: SignedIn,
    state: BulkTargetState | None = None,
    cursor: Cursor = None,
) -> Response:
    """One bulk operation. While it runs, the page asks for itself every second."""
    after = id_in(cursor)
    async with resources.pool.acquire() as conn:
        bulk = await bulk_operations.get_bulk_operation(conn, BulkOperationId(bulk_id))
        namespace = await namespaces.of_bulk_operation(conn, bulk.id)
        reasons = await bulk_operations.count_reasons(conn, bulk.id)
        found = await bulk_operations.page_bulk_targets(
            conn,
            bulk.id,
            states=[state] if state else (),
            after=TargetId(after) if after else None,
            limit=PAGE + 1,
        )
    is_more = after is not None and wants_part(request)
    return await render(
        request,
        resources,
        "bulk-rows.html" if is_more else "bulk-operation.html",
        room="Bulk operations",
        reasons=reasons,
        targets=found[:PAGE],
        following=next_cursor(found, limit=PAGE, position=lambda each: each.target.id),
        state=state,
        may_act=principal.allows(Role.OPERATOR, namespace),
        given=bulk.parameters.model_dump(mode="json", exclude_defaults=True),
        wanted=bulk.filter.model_dump(mode="json", exclude_defaults=True, exclude={"ids"}),
        names=_NAMES,
        action=told(bulk.action),
        **_shown(bulk),
    )


def _shown(bulk: BulkOperation) -> dict[str, Any]:
    total = sum(bulk.counts.values())
    left = bulk.counts.get(BulkTargetState.PENDING, 0)
    return {
        "bulk": bulk,
        "name": ACTIONS.get(bulk.action, bulk.action.value),
        "total": total,
        "ended": total - left,
        "segments": _segments(bulk.counts),
    }


def _segments(counts: Mapping[BulkTargetState, int]) -> list[dict[str, Any]]:
    total, begins = sum(counts.values()) or 1, 0.0
    parts: list[dict[str, Any]] = []
    for state, name in _NAMES.items():
        width = 100 * counts.get(state, 0) / total
        parts.append({"state": state.value, "name": name, "count": counts.get(state, 0), "x": begins, "width": width})
        begins += width
    return parts
