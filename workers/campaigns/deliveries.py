"""Taking in webhook deliveries: what GitHub says of a pull request, applied to the targets that have it."""

from __future__ import annotations

from shared.clock import utcnow
from shared.domain.event import target_event
from shared.domain.target import ChecksState, Target
from shared.outbox import Work
from shared.postgres import pull_requests, targets, webhook_deliveries

from ..runtime import Command
from .context import CampaignsContext
from .moves import move_target
from .observations import Observation, observe


async def handle_webhook(ctx: CampaignsContext, command: Command) -> None:
    """Takes in one delivery; one that says nothing of a target's pull request is marked handled, and that is all."""
    async with ctx.outbox.transaction(completing=command.operation_id) as work:
        delivery = await webhook_deliveries.get_delivery(work.conn, command.payload["delivery_id"])
        if not await webhook_deliveries.mark_handled(work.conn, delivery.delivery_id):
            return
        observation = observe(delivery.event, delivery.payload)
        if observation is None:
            return
        for target in await _targets_of(work, observation):
            await _apply(work, target, observation)


async def _targets_of(work: Work, observation: Observation) -> list[Target]:
    found: dict[object, Target] = {}
    for number in observation.numbers:
        for target in await pull_requests.by_pull_request(work.conn, observation.repository_node_id, number):
            found[target.id] = target
    if observation.head_oid and not observation.numbers:
        for target in await pull_requests.by_head(work.conn, observation.repository_node_id, observation.head_oid):
            found[target.id] = target
    return list(found.values())


async def _apply(work: Work, target: Target, observation: Observation) -> None:
    if observation.state and observation.state is not target.state:
        seen_at = await pull_requests.pull_request_seen_at(work.conn, target.id)
        if seen_at is None or observation.updated_at is None or observation.updated_at >= seen_at:
            await move_target(work, target.id, to=observation.state, pull_request_updated_at=observation.updated_at)
    if observation.review_state or observation.checks_state:
        checks = observation.checks_state
        if checks is ChecksState.PASSED and target.checks_state is ChecksState.FAILED:
            checks = None  # one check of several passed; the one that failed may still be failed
        await pull_requests.observe_reviews(
            work.conn, target.id, review_state=observation.review_state, checks_state=checks, ask_again=True
        )
    if observation.pushed_by and observation.head_oid != target.head_oid:
        await _note_foreign_push(work, target, observation.pushed_by)


async def _note_foreign_push(work: Work, target: Target, login: str) -> None:
    reason = f"{login} has pushed commits to the branch; Octobatch will not change it any more"
    if target.reason == reason:
        return
    await targets.note(work.conn, target.id, reason=reason)
    await work.emit(
        target_event(
            run_id=target.run_id,
            target_id=target.id,
            repository=target.repository,
            before=target.state,
            after=target.state,
            now=utcnow(),
            reason=reason,
            pull_request=target.pull_request,
        )
    )
