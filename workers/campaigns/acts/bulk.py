"""Bulk operations: a command for each target, each acted on once, each with its end recorded.

What is done to a target and what is recorded of it are one transaction where both are in Postgres. What is done on
GitHub comes before its record: a process that dies between the two leaves the command open, and the next one that
takes it up looks first (see `act_plan`).
"""

from __future__ import annotations

from uuid import UUID

from shared.clock import utcnow
from shared.domain import commands
from shared.domain.bulk import BEGINNING_AGAIN, BulkAction, BulkOperation, BulkTargetState, why_not
from shared.domain.event import act_event
from shared.domain.ids import BulkOperationId, TargetId
from shared.domain.permissions import PUBLISH
from shared.domain.target import PublishAs, Target, TargetState
from shared.outbox import Work
from shared.postgres import bulk_operations, targets
from shared.postgres.bulk_operations import finish_bulk_target
from shared.postgres.chosen_targets import superseded

from ...runtime import Command
from ..access import repository_token
from ..context import CampaignsContext
from ..moves import begin_again, move_target
from ..verdicts import JUDGED
from .acting import Actor, ActOutcome

_BATCH = 500


async def start_bulk_operation(ctx: CampaignsContext, command: Command) -> None:
    """Sends a command for each target that is pending; one that was sent already is not sent again."""
    bulk_id = BulkOperationId(UUID(command.payload["bulk_operation_id"]))
    after: TargetId | None = None
    while True:
        async with ctx.outbox.transaction() as work:
            pending = await bulk_operations.page_bulk_targets(
                work.conn, bulk_id, states=[BulkTargetState.PENDING], after=after, limit=_BATCH
            )
            found = [each.target for each in pending]
            await work.accept(*(commands.act_on_target(bulk_id, target, actor=command.actor) for target in found))
        if len(found) < _BATCH:
            return
        after = found[-1].id


async def act_on_target(ctx: CampaignsContext, command: Command) -> None:
    """Does to one target what the bulk operation is for, unless it does not apply any more."""
    bulk_id = BulkOperationId(UUID(command.payload["bulk_operation_id"]))
    target_id = TargetId(UUID(command.payload["target_id"]))
    async with ctx.pool.acquire() as conn:
        bulk = await bulk_operations.fetch_pending(conn, bulk_id, target_id)
        if bulk is None:
            return
        target = await targets.get_target(conn, target_id)
        is_superseded = bool(await superseded(conn, [target_id]))
    if because := why_not(bulk.action, bulk.parameters, target, is_superseded=is_superseded):
        await _finish(ctx, command, bulk, target, BulkTargetState.SKIPPED, because)
    elif _is_of_postgres_alone(bulk.action, target):
        await _act_here(ctx, command, bulk, target)
    else:
        await _act_on_github(ctx, command, bulk, target)
    await complete_bulk_operation(ctx, bulk_id)


async def complete_bulk_operation(ctx: CampaignsContext, bulk_id: BulkOperationId) -> None:
    """Completes it if none of its targets is pending. Called after the commit that finished one."""
    async with ctx.pool.acquire() as conn:
        await bulk_operations.complete_if_done(conn, bulk_id)


async def complete_bulk_operations(ctx: CampaignsContext) -> None:
    """Completes the bulk operations whose last worker died before it looked."""
    async with ctx.pool.acquire() as conn:
        await bulk_operations.complete_all_done(conn)


async def give_up_target(ctx: CampaignsContext, command: Command, error: str) -> None:
    """Marks the target of a dead-lettered command as failed, so that its bulk operation comes to an end."""
    bulk_id = BulkOperationId(UUID(command.payload["bulk_operation_id"]))
    target_id = TargetId(UUID(command.payload["target_id"]))
    async with ctx.pool.acquire() as conn:
        await finish_bulk_target(conn, bulk_id, target_id, state=BulkTargetState.FAILED, reason=error)
    await complete_bulk_operation(ctx, bulk_id)


async def give_up_bulk_operation(ctx: CampaignsContext, command: Command) -> None:
    """Cancels what was not sent of a bulk operation that could not be started."""
    async with ctx.pool.acquire() as conn, conn.transaction():
        await bulk_operations.cancel_bulk_operation(conn, BulkOperationId(UUID(command.payload["bulk_operation_id"])))


def _is_of_postgres_alone(action: BulkAction, target: Target) -> bool:
    if action is BulkAction.PUBLISH:
        return target.state is TargetState.PREPARED
    return action in BEGINNING_AGAIN or action in {BulkAction.DETACH, BulkAction.ATTACH}


async def _finish(
    ctx: CampaignsContext,
    command: Command,
    bulk: BulkOperation,
    target: Target,
    state: BulkTargetState,
    reason: str | None,
) -> None:
    async with ctx.outbox.transaction(completing=command.operation_id) as work:
        await finish_bulk_target(work.conn, bulk.id, target.id, state=state, reason=reason)


async def _act_here(ctx: CampaignsContext, command: Command, bulk: BulkOperation, target: Target) -> None:
    async with ctx.outbox.transaction(completing=command.operation_id) as work:
        if await _act_in(work, bulk, target):
            await _tell(work, bulk, target)
            await finish_bulk_target(work.conn, bulk.id, target.id, state=BulkTargetState.DONE)
        else:
            moved = "has moved on meanwhile"
            await finish_bulk_target(work.conn, bulk.id, target.id, state=BulkTargetState.SKIPPED, reason=moved)


async def _act_in(work: Work, bulk: BulkOperation, target: Target) -> bool:
    """Whether it could be done: the target may have moved since it was read."""
    if bulk.action is BulkAction.DETACH:
        await targets.detach_target(work.conn, target.id)
        return True
    if bulk.action is BulkAction.ATTACH:
        await targets.attach_target(work.conn, target.id)
        return True
    if bulk.action in BEGINNING_AGAIN:
        reason = f"{bulk.action} asked for by {bulk.created_by}"
        return await begin_again(work, target.id, reason=reason, actor=bulk.created_by) is not None
    publish_as = PublishAs.DRAFT if bulk.parameters.draft else PublishAs.OPEN
    return await targets.set_publish_as(work.conn, target.id, publish_as)  # and its run's rollout releases it


async def _act_on_github(ctx: CampaignsContext, command: Command, bulk: BulkOperation, target: Target) -> None:
    async with ctx.pool.acquire() as conn:
        siblings = await targets.by_branch(conn, target.repository_node_id, target.branch)
    own_heads = {each.head_oid for each in siblings if each.head_oid and each.campaign_id == target.campaign_id}
    try:
        async with repository_token(ctx, target, PUBLISH, purpose=bulk.action) as token:
            outcome = await Actor(ctx.github, bulk, target, own_heads=own_heads, token=token).act()
    except JUDGED as error:
        await _finish(ctx, command, bulk, target, BulkTargetState.FAILED, str(error))
        return
    await _record(ctx, command, bulk, target, outcome)


async def _record(
    ctx: CampaignsContext, command: Command, bulk: BulkOperation, target: Target, outcome: ActOutcome
) -> None:
    async with ctx.outbox.transaction(completing=command.operation_id) as work:
        if outcome.target_state is not target.state:
            await move_target(work, target.id, to=outcome.target_state, pull_request_updated_at=outcome.updated_at)
        if outcome.state is BulkTargetState.DONE:
            await _tell(work, bulk, await targets.get_target(work.conn, target.id))
        await finish_bulk_target(work.conn, bulk.id, target.id, state=outcome.state, reason=outcome.reason)


async def _tell(work: Work, bulk: BulkOperation, target: Target) -> None:
    await work.emit(
        act_event(target, action=bulk.action, actor=bulk.created_by, bulk_operation_id=bulk.id, now=utcnow())
    )
