"""Taking in webhook deliveries: what GitHub says of a pull request, applied to the targets that have it."""

from __future__ import annotations

from datetime import datetime

from shared.domain.target import ChecksState, Target, TargetState
from shared.outbox import Work
from shared.postgres import pull_requests, runs, targets, webhook_deliveries

from ...runtime import Command
from ..context import CampaignsContext
from ..loading import load_spec
from ..moves import move_target
from ..publication.plan import Rules
from .foreign import note_foreign_push
from .observations import Observation, observe, state_to_take


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
    if observation.state:
        await _take_state(work, target, observation.state, observation.updated_at)
    if observation.review_state or observation.checks_state:
        checks = observation.checks_state
        if checks is ChecksState.PASSED and target.checks_state is ChecksState.FAILED:
            checks = None  # one check of several passed; the one that failed may still be failed
        await pull_requests.observe_reviews(
            work.conn, target.id, review_state=observation.review_state, checks_state=checks, ask_again=True
        )
    if observation.pushed_by and observation.head_oid != target.head_oid and not target.is_imported:
        await _tell_of_push(work, target, observation.pushed_by)


async def _take_state(work: Work, target: Target, state: TargetState, updated_at: datetime | None) -> None:
    seen_at = await pull_requests.pull_request_seen_at(work.conn, target.id)  # locks it, so its state is read after
    if seen_at and updated_at and updated_at < seen_at:
        return
    now = await targets.get_target(work.conn, target.id)
    taken = state_to_take(now.state, state)
    if taken is not now.state:
        await move_target(work, target.id, to=taken, reason=now.reason, pull_request_updated_at=updated_at)


async def _tell_of_push(work: Work, target: Target, login: str) -> None:
    spec = await load_spec(work.conn, await runs.get_run(work.conn, target.run_id))
    if not Rules.of(spec.changeset_template).overwrites:
        await note_foreign_push(work, target, login)
