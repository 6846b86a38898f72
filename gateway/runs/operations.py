"""Starting and cancelling runs: each is one transaction."""

from __future__ import annotations

from dataclasses import dataclass, replace
from uuid import UUID

from shared.clock import utcnow
from shared.domain import commands
from shared.domain.campaign import CampaignState
from shared.domain.event import run_event, target_event
from shared.domain.ids import RunId, SelectionId, new_id
from shared.domain.operation import NewOperation, Operation
from shared.domain.run import Moved, Run, RunState, check_transition
from shared.errors import Conflict, InvalidInput
from shared.outbox import Outbox, Work
from shared.postgres import campaigns, previews, runs, selections, targets

from ..idempotency import with_key
from ..selections.operations import forget_what_was_found
from .checking import check_containers

CANCELLED = "the run was cancelled"


class _Repeated(Exception):
    """The idempotency key was used before: nothing is to be made."""

    def __init__(self, operation: Operation) -> None:
        super().__init__(operation.dedupe_key)
        self.operation = operation


@dataclass(frozen=True, kw_only=True)
class RunOrder:
    """What is to be run: a version of a campaign's spec (None = the newest), or what a preview has prepared."""

    campaign: str
    dry_run: bool = False
    version: int | None = None
    preview_run_id: RunId | None = None
    moved: Moved = Moved.BLOCK

    def is_for(self, run: Run) -> bool:
        """Whether a run is what this order asks for."""
        made_for = replace(
            self, campaign=run.campaign_name, dry_run=run.dry_run, preview_run_id=run.preview_run_id, moved=run.moved
        )
        return self == made_for and self.version in (None, run.spec_version)


async def start_run(
    outbox: Outbox, order: RunOrder, *, actor: str, idempotency_key: str | None, run_steps_mode: str = "local"
) -> tuple[Run, Operation]:
    """A new run and the operation that begins it: that selects its repositories, or plans what a preview has prepared.

    The same idempotency key gives the same run again; for something else than the first time it is a `Conflict`.
    """
    try:
        async with outbox.transaction() as work:
            return await _start(work, order, actor, idempotency_key, run_steps_mode)
    except _Repeated as repeated:
        operation = repeated.operation
    async with outbox.transaction() as work:
        assert operation.run_id  # noqa: S101 - runs alone have such dedupe keys
        run = await runs.get_run(work.conn, operation.run_id)
    if not order.is_for(run):
        raise Conflict("this Idempotency-Key was used for another run; take a new one")
    return run, operation


async def _start(
    work: Work, order: RunOrder, actor: str, idempotency_key: str | None, run_steps_mode: str
) -> tuple[Run, Operation]:
    campaign = await campaigns.hold_campaign(work.conn, order.campaign)
    if campaign.state is CampaignState.ARCHIVED:
        raise Conflict(f"campaign {campaign.name} is archived; unarchive it to run it")
    preview = await _preview(work, order) if order.preview_run_id else None
    version = preview.spec_version if preview else order.version or campaign.current_version
    spec = await campaigns.get_spec_version(work.conn, campaign.id, version)
    check_containers(spec.document, mode=run_steps_mode)
    run_id = RunId(new_id())
    selection_id = preview.selection_id if preview else SelectionId(new_id())
    operation = await _accept(work, _first_command(order, run_id, selection_id, actor), idempotency_key)
    if selection_id and not preview:
        await selections.insert_selection_of_run(
            work.conn, campaign, spec, run_id=run_id, selection_id=selection_id, created_by=actor
        )
    run = await runs.insert_run(
        work.conn,
        run_id=run_id,
        campaign_id=campaign.id,
        spec_version=spec.version,
        selection_id=selection_id,
        dry_run=order.dry_run,
        created_by=actor,
        preview_run_id=order.preview_run_id,
        moved=order.moved,
    )
    await work.emit(run_event(run_id, run.state, now=utcnow()))
    return run, operation


def _first_command(order: RunOrder, run_id: RunId, selection_id: SelectionId | None, actor: str) -> NewOperation:
    if order.preview_run_id or selection_id is None:
        return commands.plan_run(run_id, actor=actor)
    return commands.select_repositories(selection_id, actor=actor, run_id=run_id)


async def _accept(work: Work, command: NewOperation, idempotency_key: str | None) -> Operation:
    [operation] = await work.accept(with_key(command, idempotency_key, act="start_run"))
    if operation.run_id != command.run_id:
        raise _Repeated(operation)
    return operation


async def _preview(work: Work, order: RunOrder) -> Run:
    """The preview to publish; raises `NotFound`, or says why it is none that can be published."""
    preview = await runs.get_run(work.conn, order.preview_run_id or RunId(UUID(int=0)))
    if not preview.dry_run or preview.campaign_name != order.campaign:
        raise InvalidInput(f"run {preview.id} is no preview of {order.campaign}", field="body.preview_run_id")
    if order.dry_run or order.version not in (None, preview.spec_version):
        message = f"a preview is published as it is: version {preview.spec_version}, and not as a dry run"
        raise InvalidInput(message, field="body.preview_run_id")
    if preview.state is not RunState.COMPLETED:
        raise Conflict(f"preview {preview.id} is {preview.state}; only a completed one can be published")
    if await previews.lacks_changes(work.conn, preview.id):
        raise Conflict(f"the changes of preview {preview.id} are not kept any more; preview again")
    return preview


async def cancel_run(outbox: Outbox, run_id: UUID) -> Run:
    """Stops a run: once this returns nothing more of it is published. Pull requests that are open stay open."""
    async with outbox.transaction() as work:
        run = await runs.get_run(work.conn, RunId(run_id))
        if run.state is RunState.CANCELLED:
            return run
        if not await runs.move_run(work.conn, run.id, to=RunState.CANCELLED):
            check_transition(run.state, RunState.CANCELLED)
        if run.selection_id:
            await selections.cancel_selection(work.conn, run.selection_id)
        await cancel_targets(work, run.id, reason=CANCELLED)
        await work.emit(run_event(run.id, RunState.CANCELLED, now=utcnow()))
        cancelled = await runs.get_run(work.conn, run.id)
    if run.selection_id:
        await forget_what_was_found(outbox, run.selection_id)
    return cancelled


async def cancel_targets(work: Work, run_id: RunId, *, reason: str) -> None:
    """Cancels the targets of a run that have work left to do, and tells of each."""
    now = utcnow()
    for move in await targets.cancel_unsettled(work.conn, run_id, reason=reason):
        await work.emit(target_event(move.target, before=move.before, now=now, reason=reason))
