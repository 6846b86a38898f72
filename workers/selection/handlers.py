"""The command of the selection worker: from the `on` part of a spec to a stored selection, and on to its run.

A selection is stored in one transaction, with the state of its run and the command that plans it. So a worker that
is killed leaves nothing, and the next one begins anew: a selection has all of its repositories or none.
"""

from __future__ import annotations

from uuid import UUID

import structlog

from shared.clock import utcnow
from shared.domain import commands
from shared.domain.event import run_event
from shared.domain.ids import InstallationId, SelectionId
from shared.domain.run import RunState
from shared.domain.selection import SelectedRepository, Selection
from shared.domain.spec import CampaignSpec, parse_spec
from shared.github.repositories import with_file
from shared.outbox import Work
from shared.postgres import runs, selections
from workers.runtime import Command

from .access import Access
from .candidates import by_installation, limited, opted_out, skipped, union
from .context import SelectionContext
from .entries import find_repositories

_log = structlog.get_logger(__name__)


async def select_repositories(ctx: SelectionContext, command: Command) -> None:
    """Answers the `on` part of a selection's spec, stores it with the reasons, and has its run planned."""
    selection = await _begin(ctx, command)
    if selection is None:
        return
    access = Access(
        ctx.tokens,
        ctx.github,
        run_id=selection.run_id,
        purpose=f"selection {selection.id} for {command.actor}",
    )
    selected = await _select(ctx, parse_spec(selection.document), access)
    async with ctx.outbox.transaction(completing=command.operation_id) as work:
        await _finish(work, selection, selected, actor=command.actor)
    included = sum(each.included for each in selected)
    _log.info("selection_complete", selection_id=str(selection.id), found=len(selected), included=included)


async def give_up(ctx: SelectionContext, command: Command, error: str) -> None:
    """A selection that cannot be made fails, and its run with it."""
    selection_id = _selection_id(command)
    async with ctx.outbox.transaction() as work:
        selection = await selections.get_selection(work.conn, selection_id)
        await selections.fail_selection(work.conn, selection_id, error=error)
        if selection.run_id and await runs.move_run(work.conn, selection.run_id, to=RunState.FAILED, error=error):
            await work.emit(run_event(selection.run_id, RunState.FAILED, now=utcnow(), error=error))


async def _begin(ctx: SelectionContext, command: Command) -> Selection | None:
    """The selection, now being made; None where it is finished, or its run is and nobody wants it any more."""
    selection_id = _selection_id(command)
    async with ctx.outbox.transaction() as work:
        selection = await selections.get_selection(work.conn, selection_id)
        if not await selections.mark_selecting(work.conn, selection_id):
            return None
        if selection.run_id is None:
            return selection
        if await runs.move_run(work.conn, selection.run_id, to=RunState.SELECTING):
            await work.emit(run_event(selection.run_id, RunState.SELECTING, now=utcnow()))
        run = await runs.get_run(work.conn, selection.run_id)
        if run.state is RunState.SELECTING:
            return selection
        await selections.cancel_selection(work.conn, selection_id)
        return None


async def _select(ctx: SelectionContext, spec: CampaignSpec, access: Access) -> list[SelectedRepository]:
    selected = skipped(union(await find_repositories(ctx, spec.on, access)), spec.skip)
    if spec.skip.opt_out_file:
        path = spec.skip.opt_out_file
        for installation_id, node_ids in by_installation(selected).items():
            async with access.token(InstallationId(installation_id)) as token:
                having = await with_file(ctx.github, node_ids, path=path, token=token)
            selected = opted_out(selected, having, path=path)
    return limited(selected, spec.limit)


async def _finish(work: Work, selection: Selection, selected: list[SelectedRepository], *, actor: str) -> None:
    if selection.run_id is None:
        await selections.complete_selection(work.conn, selection.id, selected)
        return
    # the run comes first: whoever cancels it meanwhile waits for this transaction, or has this one see it
    if not await runs.move_run(work.conn, selection.run_id, to=RunState.PLANNING):
        await selections.cancel_selection(work.conn, selection.id)
        return
    await selections.complete_selection(work.conn, selection.id, selected)
    await work.accept(commands.plan_run(selection.run_id, actor=actor))
    await work.emit(run_event(selection.run_id, RunState.PLANNING, now=utcnow()))


def _selection_id(command: Command) -> SelectionId:
    return SelectionId(UUID(command.payload["selection_id"]))
