"""Making bulk operations: each is one transaction, which says for every target whether it is acted on."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from shared.domain import commands
from shared.domain.bulk import (
    ON_PREVIEWS,
    ON_UNPUBLISHED,
    BulkAction,
    BulkOperation,
    BulkParameters,
    BulkScope,
    BulkState,
    TargetFilter,
    check_filter,
    check_parameters,
    why_not,
)
from shared.domain.ids import BulkOperationId, RunId, TargetId, new_id
from shared.domain.target import Target
from shared.errors import Conflict
from shared.outbox import Outbox
from shared.postgres import bulk_operations, campaigns, runs
from shared.postgres.chosen_targets import chosen_batches, superseded
from shared.postgres.pool import Connection

from ..idempotency import with_key
from ..waiting import Waiting

MOST_NAMES = 10


@dataclass(frozen=True, kw_only=True)
class BulkRequest:
    """What is asked for; raises `InvalidInput` where it makes no sense."""

    scope: BulkScope
    action: BulkAction
    parameters: BulkParameters
    wanted: TargetFilter

    def __post_init__(self) -> None:
        check_parameters(self.action, self.parameters)
        check_filter(self.wanted)


@dataclass
class Considered:
    """Which targets the action applies to, and why it does not apply to the others."""

    applies: list[Target] = field(default_factory=list[Target])
    skipped: Counter[str] = field(default_factory=Counter[str])

    @property
    def names(self) -> list[str]:
        """The repositories of the first that it applies to."""
        return [target.repository for target in self.applies[:MOST_NAMES]]

    async def consider(
        self, conn: Connection, asked: BulkRequest, targets: Sequence[Target]
    ) -> dict[TargetId, str | None]:
        """Takes in these targets, and says of each why it is skipped: None for those that are acted on."""
        over = await superseded(conn, [target.id for target in targets])
        found = {
            target.id: why_not(asked.action, asked.parameters, target, is_superseded=target.id in over)
            for target in targets
        }
        self.applies += [target for target in targets if found[target.id] is None]
        self.skipped.update(reason for reason in found.values() if reason)
        return found


async def scope_of_campaign(conn: Connection, name: str) -> BulkScope:
    """All targets of a campaign; raises `NotFound`."""
    return BulkScope(campaign_id=(await campaigns.get_campaign(conn, name)).id)


async def scope_of_run(conn: Connection, run_id: UUID, action: BulkAction) -> BulkScope:
    """All targets of a run; raises `NotFound`, or `Conflict` for a preview, of which nothing is published."""
    run = await runs.get_run(conn, RunId(run_id))
    if run.dry_run and action not in ON_PREVIEWS:
        raise Conflict(
            f"run {run.id} is a preview, of which nothing is published: apply campaign {run.campaign_name}, and then"
            f" {action} the targets of that run"
        )
    return BulkScope(campaign_id=run.campaign_id, run_id=run.id)


async def consider(conn: Connection, asked: BulkRequest) -> Considered:
    """What would be done."""
    considered = Considered()
    async for batch in _batches(conn, asked):
        await considered.consider(conn, asked, batch)
    return considered


async def start_bulk_operation(
    outbox: Outbox, asked: BulkRequest, *, actor: str, idempotency_key: str | None
) -> BulkOperation:
    """A new bulk operation, with each of its targets pending or skipped.

    The same idempotency key gives the same one again; for something else than the first time it is a `Conflict`.
    """
    bulk_id = BulkOperationId(new_id())
    command = with_key(commands.start_bulk_operation(bulk_id, actor=actor), idempotency_key, act="start_bulk_operation")
    async with outbox.transaction() as work:
        [operation] = await work.accept(command)
        if operation.payload == command.payload:
            await _insert(work.conn, bulk_id, asked, actor=actor)
            return await bulk_operations.get_bulk_operation(work.conn, bulk_id)
        first_id = BulkOperationId(UUID(operation.payload["bulk_operation_id"]))  # the key was used before
        first = await bulk_operations.get_bulk_operation(work.conn, first_id)
    before = BulkScope(campaign_id=first.campaign_id, run_id=first.run_id), first.action, first.parameters, first.filter
    if before != (asked.scope, asked.action, asked.parameters, asked.wanted):
        raise Conflict("this Idempotency-Key was used for another bulk operation; take a new one")
    return first


async def wait_for_bulk_operation(waiting: Waiting, bulk: BulkOperation) -> BulkOperation:
    """The bulk operation, finished where it was in the time that its caller waits."""

    async def look(conn: Connection) -> BulkOperation:
        return await bulk_operations.get_bulk_operation(conn, bulk.id)

    return await waiting.until(look, lambda seen: seen.state is not BulkState.RUNNING) or bulk


async def cancel_bulk_operation(outbox: Outbox, bulk_id: UUID) -> BulkOperation:
    """Ends a bulk operation: no target is acted on after the answer but those just under way. Again changes nothing."""
    async with outbox.transaction() as work:
        bulk = await bulk_operations.get_bulk_operation(work.conn, BulkOperationId(bulk_id))
        await bulk_operations.cancel_bulk_operation(work.conn, bulk.id)
        return await bulk_operations.get_bulk_operation(work.conn, bulk.id)


async def _insert(conn: Connection, bulk_id: BulkOperationId, asked: BulkRequest, *, actor: str) -> None:
    await bulk_operations.insert_bulk_operation(
        conn,
        bulk_id,
        scope=asked.scope,
        action=asked.action,
        parameters=asked.parameters,
        wanted=asked.wanted,
        created_by=actor,
    )
    async for batch in _batches(conn, asked):
        await bulk_operations.insert_bulk_targets(conn, bulk_id, await Considered().consider(conn, asked, batch))
    await bulk_operations.complete_if_done(conn, bulk_id)


def _batches(conn: Connection, asked: BulkRequest) -> AsyncIterator[list[Target]]:
    by_pull_request = asked.action not in ON_UNPUBLISHED
    return chosen_batches(conn, asked.scope, asked.wanted, by_pull_request=by_pull_request)
