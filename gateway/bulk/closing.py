"""Undoing a campaign: its runs are cancelled, its open pull requests closed, its branches deleted."""

from __future__ import annotations

from contextlib import suppress

from fastapi import APIRouter, Response

from shared.domain.bulk import ALL_TARGETS, BulkAction, BulkParameters, BulkScope
from shared.domain.ids import RunId
from shared.domain.target import FOLLOWED, Target, TargetState
from shared.errors import InvalidTransition
from shared.postgres import campaigns, runs

from ..auth import SignedIn
from ..resources import Opened, Resources
from ..runs.operations import cancel_run, cancel_targets
from ..versions import V1
from ..waiting import Waits
from .operations import BulkRequest, consider, scope_of_campaign, start_bulk_operation, wait_for_bulk_operation
from .schemas import ClosingOutcome, NewClosing, ShownBulkOperation

router = APIRouter(prefix="/campaigns", tags=["campaigns"])

CLOSED = "the campaign was closed"
_OPEN = FOLLOWED | {TargetState.BLOCKED}


@router.post("/{name}/close", status_code=202, responses={200: {"model": ClosingOutcome}})
async def close_campaign(
    name: str, body: NewClosing, response: Response, resources: Opened, principal: SignedIn, waiting: Waits
) -> ClosingOutcome:
    """Undo a campaign: archive it, cancel its runs, close its open pull requests, delete its branches.

    Imported pull requests are left as they are. A dry run answers 200. Once more closes what is left.
    """
    async with resources.pool.acquire() as conn:
        scope = await scope_of_campaign(conn, name)
    asked = _closing(scope, delete_branches=body.delete_branches)
    outcome = await _foreseen(resources, asked)
    if body.dry_run:
        response.status_code = 200
        return outcome
    async with resources.pool.acquire() as conn:
        await campaigns.close_campaign(conn, name)
        unfinished = await runs.unfinished_runs(conn, scope.campaign_id)
    for run_id in unfinished:
        await _cancel(resources, run_id)
    bulk = await start_bulk_operation(resources.outbox, asked, actor=principal.actor, idempotency_key=None)
    response.headers["Location"] = f"{V1}/bulk-operations/{bulk.id}"
    bulk = await wait_for_bulk_operation(waiting, bulk)
    return outcome.model_copy(update={"dry_run": False, "bulk_operation": ShownBulkOperation.model_validate(bulk)})


def _closing(scope: BulkScope, *, delete_branches: bool) -> BulkRequest:
    parameters = BulkParameters.model_validate({"delete_branch": delete_branches, "keep_imported": True})
    return BulkRequest(scope=scope, action=BulkAction.CLOSE, parameters=parameters, wanted=ALL_TARGETS)


async def _foreseen(resources: Resources, asked: BulkRequest) -> ClosingOutcome:
    async with resources.pool.acquire() as conn, conn.transaction(isolation="repeatable_read", readonly=True):
        considered = await consider(conn, asked)
        unfinished = await runs.unfinished_runs(conn, asked.scope.campaign_id)
    branches = {(each.repository_node_id, each.branch) for each in considered.applies if each.head_oid}
    return ClosingOutcome(
        dry_run=True,
        runs=len(unfinished),
        pull_requests=sum(map(_is_open, considered.applies)),
        branches=len(branches) if asked.parameters.delete_branch else 0,
        bulk_operation=None,
    )


async def _cancel(resources: Resources, run_id: RunId) -> None:
    """Cancels a run, and what began again in one that has ended."""
    with suppress(InvalidTransition):
        await cancel_run(resources.outbox, run_id)
        return
    async with resources.outbox.transaction() as work:
        await cancel_targets(work, run_id, reason=CLOSED)


def _is_open(target: Target) -> bool:
    return target.pull_request is not None and target.state in _OPEN
