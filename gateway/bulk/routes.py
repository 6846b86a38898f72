"""Bulk operations: an action on many targets, looked at beforehand, followed, and cancelled."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from shared.domain.bulk import BulkOperation, BulkState, BulkTargetState
from shared.domain.ids import BulkOperationId, RunId, TargetId
from shared.domain.roles import Role
from shared.postgres import bulk_operations
from shared.postgres.pool import Connection

from ..auth import SignedIn
from ..idempotency import IdempotencyKey
from ..paging import Cursor, Limit, Page, id_in, page
from ..resources import Opened, Resources
from ..versions import V1
from ..waiting import Waiting, Waits
from . import operations
from .operations import MOST_NAMES, BulkRequest
from .schemas import (
    BulkDetails,
    BulkOutcome,
    NewBulkOperation,
    ShownBulkOperation,
    ShownBulkTarget,
    ShownReason,
)

router = APIRouter(tags=["bulk operations"])


@router.post("/runs/{run_id}/bulk-operations", status_code=202, responses={200: {"model": BulkOutcome}})
async def act_on_run(
    run_id: UUID,
    body: NewBulkOperation,
    principal: SignedIn,
    resources: Opened,
    waiting: Waits,
    idempotency_key: IdempotencyKey = None,
) -> BulkOutcome:
    """Act on targets of a run; a dry run answers 200. The same `Idempotency-Key` gives the same bulk operation."""
    async with resources.pool.acquire() as conn:
        scope = await operations.scope_of_run(conn, run_id, body.action)
    asked = BulkRequest(scope=scope, action=body.action, parameters=body.parameters, wanted=body.filter)
    return await _act(waiting, asked, body, actor=principal.actor, idempotency_key=idempotency_key)


@router.post("/campaigns/{name}/bulk-operations", status_code=202, responses={200: {"model": BulkOutcome}})
async def act_on_campaign(
    name: str,
    body: NewBulkOperation,
    principal: SignedIn,
    resources: Opened,
    waiting: Waits,
    idempotency_key: IdempotencyKey = None,
) -> BulkOutcome:
    """The same for a campaign across its runs: the newest target of each pull request, or of each repository."""
    async with resources.pool.acquire() as conn:
        scope = await operations.scope_of_campaign(conn, name)
    asked = BulkRequest(scope=scope, action=body.action, parameters=body.parameters, wanted=body.filter)
    return await _act(waiting, asked, body, actor=principal.actor, idempotency_key=idempotency_key)


async def _act(
    waiting: Waiting,
    asked: BulkRequest,
    body: NewBulkOperation,
    *,
    actor: str,
    idempotency_key: str | None,
) -> BulkOutcome:
    resources, response = waiting.resources, waiting.response
    if body.dry_run:
        response.status_code = 200
        return await _foreseen(resources, asked)
    bulk = await operations.start_bulk_operation(resources.outbox, asked, actor=actor, idempotency_key=idempotency_key)
    response.headers["Location"] = f"{V1}/bulk-operations/{bulk.id}"
    bulk = await operations.wait_for_bulk_operation(waiting, bulk)
    async with resources.pool.acquire() as conn:
        return await _made(conn, bulk)


@router.get("/bulk-operations")
async def list_bulk_operations(
    resources: Opened,
    principal: SignedIn,
    campaign: str | None = None,
    run_id: UUID | None = None,
    state: BulkState | None = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Page[ShownBulkOperation]:
    """Bulk operations, newest first."""
    before = id_in(cursor)
    async with resources.pool.acquire() as conn:
        rows = await bulk_operations.page_bulk_operations(
            conn,
            namespaces=principal.namespaces(Role.VIEWER),
            campaign=campaign,
            run_id=RunId(run_id) if run_id else None,
            state=state,
            before=BulkOperationId(before) if before else None,
            limit=limit + 1,
        )
    return page(rows, limit=limit, position=lambda each: each.id, show=ShownBulkOperation.model_validate)


@router.get("/bulk-operations/{bulk_operation_id}")
async def get_bulk_operation(bulk_operation_id: UUID, resources: Opened, _: SignedIn) -> BulkDetails:
    """One bulk operation: how far it is, and why targets were skipped or failed."""
    async with resources.pool.acquire() as conn:
        bulk = await bulk_operations.get_bulk_operation(conn, BulkOperationId(bulk_operation_id))
        reasons = await bulk_operations.count_reasons(conn, bulk.id)
    shown = ShownBulkOperation.model_validate(bulk)
    return BulkDetails(**dict(shown), reasons=[ShownReason.model_validate(each) for each in reasons])


@router.get("/bulk-operations/{bulk_operation_id}/targets")
async def list_bulk_targets(
    bulk_operation_id: UUID,
    resources: Opened,
    _: SignedIn,
    state: Annotated[list[BulkTargetState] | None, Query(description="any of these states")] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Page[ShownBulkTarget]:
    """What became of each target."""
    after = id_in(cursor)
    async with resources.pool.acquire() as conn:
        bulk = await bulk_operations.get_bulk_operation(conn, BulkOperationId(bulk_operation_id))
        rows = await bulk_operations.page_bulk_targets(
            conn, bulk.id, states=state or (), after=TargetId(after) if after else None, limit=limit + 1
        )
    return page(rows, limit=limit, position=lambda each: each.target.id, show=ShownBulkTarget.model_validate)


@router.post("/bulk-operations/{bulk_operation_id}/cancel")
async def cancel_bulk_operation(bulk_operation_id: UUID, resources: Opened, _: SignedIn) -> ShownBulkOperation:
    """End a bulk operation: what is pending is not done. What is done stays."""
    bulk = await operations.cancel_bulk_operation(resources.outbox, bulk_operation_id)
    return ShownBulkOperation.model_validate(bulk)


async def _foreseen(resources: Resources, asked: BulkRequest) -> BulkOutcome:
    async with resources.pool.acquire() as conn, conn.transaction(isolation="repeatable_read", readonly=True):
        considered = await operations.consider(conn, asked)
    return BulkOutcome(
        dry_run=True,
        applies=len(considered.applies),
        first=considered.names,
        skipped=considered.skipped.total(),
        reasons=[
            ShownReason(state=BulkTargetState.SKIPPED, reason=reason, count=count)
            for reason, count in considered.skipped.most_common(20)
        ],
        bulk_operation=None,
    )


async def _made(conn: Connection, bulk: BulkOperation) -> BulkOutcome:
    acted_on = [state for state in BulkTargetState if state is not BulkTargetState.SKIPPED]
    first = await bulk_operations.page_bulk_targets(conn, bulk.id, states=acted_on, limit=MOST_NAMES)
    reasons = await bulk_operations.count_reasons(conn, bulk.id)
    return BulkOutcome(
        dry_run=False,
        applies=sum(bulk.counts.get(state, 0) for state in acted_on),
        first=[each.target.repository for each in first],
        skipped=bulk.counts.get(BulkTargetState.SKIPPED, 0),
        reasons=[ShownReason.model_validate(each) for each in reasons if each.state is BulkTargetState.SKIPPED],
        bulk_operation=ShownBulkOperation.model_validate(bulk),
    )
