"""Starting and cancelling runs: each is one transaction."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from uuid import UUID

from shared.clock import utcnow
from shared.domain import commands
from shared.domain.campaign import CampaignState
from shared.domain.event import run_event, target_event
from shared.domain.ids import RunId, SelectionId, new_id
from shared.domain.operation import Operation
from shared.domain.run import Run, RunState, check_transition
from shared.errors import Conflict
from shared.outbox import Outbox, Work
from shared.postgres import campaigns, runs, selections, targets

from ..selections.operations import forget_what_was_found

CANCELLED = "the run was cancelled"


class _Repeated(Exception):
    """The idempotency key was used before: nothing is to be made."""

    def __init__(self, operation: Operation) -> None:
        super().__init__(operation.dedupe_key)
        self.operation = operation


async def start_run(
    outbox: Outbox, *, campaign: str, dry_run: bool, version: int | None, actor: str, idempotency_key: str | None
) -> tuple[Run, Operation]:
    """A new run and the operation that selects its repositories.

    The same idempotency key gives the same run again; for something else than the first time it is a `Conflict`.
    """
    try:
        async with outbox.transaction() as work:
            return await _start(work, campaign, dry_run, version, actor, idempotency_key)
    except _Repeated as repeated:
        operation = repeated.operation
    async with outbox.transaction() as work:
        assert operation.run_id  # noqa: S101 - runs alone have such dedupe keys
        run = await runs.get_run(work.conn, operation.run_id)
    if run.campaign_name != campaign or run.dry_run != dry_run or version not in (None, run.spec_version):
        raise Conflict("this Idempotency-Key was used for another run; take a new one")
    return run, operation


async def _start(
    work: Work, name: str, dry_run: bool, version: int | None, actor: str, idempotency_key: str | None
) -> tuple[Run, Operation]:
    campaign = await campaigns.get_campaign(work.conn, name)
    if campaign.state is CampaignState.ARCHIVED:
        raise Conflict(f"campaign {name} is archived; unarchive it to run it")
    spec = await campaigns.get_spec_version(work.conn, campaign.id, version or campaign.current_version)
    run_id, selection_id = RunId(new_id()), SelectionId(new_id())
    command = commands.select_repositories(selection_id, actor=actor, run_id=run_id)
    if idempotency_key:
        digest = hashlib.sha256(f"{actor} {idempotency_key}".encode()).hexdigest()
        command = replace(command, dedupe_key=f"start_run:{digest}")
    [operation] = await work.accept(command)
    if operation.run_id != run_id:
        raise _Repeated(operation)
    await selections.insert_selection(
        work.conn,
        selection_id=selection_id,
        document=spec.document,
        name=campaign.name,
        created_by=actor,
        campaign_id=campaign.id,
        run_id=run_id,
    )
    await runs.insert_run(
        work.conn,
        run_id=run_id,
        campaign_id=campaign.id,
        spec_version=spec.version,
        selection_id=selection_id,
        dry_run=dry_run,
        created_by=actor,
    )
    await work.emit(run_event(run_id, RunState.SELECTING, now=utcnow()))
    return await runs.get_run(work.conn, run_id), operation


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
        now = utcnow()
        for move in await targets.cancel_unsettled(work.conn, run.id, reason=CANCELLED):
            await work.emit(
                target_event(
                    run_id=run.id,
                    target_id=move.target.id,
                    repository=move.target.repository,
                    before=move.before,
                    after=move.target.state,
                    now=now,
                    reason=CANCELLED,
                )
            )
        await work.emit(run_event(run.id, RunState.CANCELLED, now=now))
        cancelled = await runs.get_run(work.conn, run.id)
    if run.selection_id:
        await forget_what_was_found(outbox, run.selection_id)
    return cancelled
