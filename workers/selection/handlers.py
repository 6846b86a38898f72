"""The command of the selection worker: from the `on` part of a spec to a stored selection, and on to its run.

What is found is stored page by page in the selection's working memory, so that a worker that is killed leaves the next
one little to ask again. The selection itself is finished in one transaction, with the state of its run and the command
that plans it: until then it has no repositories to show.
"""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

import structlog

from shared.clock import utcnow
from shared.domain import commands
from shared.domain.event import run_event
from shared.domain.ids import SelectionId
from shared.domain.run import RunState
from shared.domain.selection import Selection, SelectionPhase
from shared.domain.spec import ExcludeEntry, parse_spec
from shared.github.client import Usage
from shared.outbox import Work
from shared.postgres import runs, selection_results, selection_shards, selections
from workers.runtime import Command

from .access import Access
from .context import SelectionContext
from .deciding import decide
from .finding import SelectionOver, find
from .making import Making, described
from .turns import Turn

_log = structlog.get_logger(__name__)


async def select_repositories(ctx: SelectionContext, command: Command) -> None:
    """Answers the `on` part of a selection's spec, stores it with the reasons, and has its run planned."""
    selection = await _begin(ctx, command)
    if selection is None:
        return
    making = _making(ctx, selection, command)
    turn = Turn()
    try:
        if selection.phase is SelectionPhase.FINDING:
            await find(making, turn)
            await _combine(making)
        await decide(making, turn)
        async with ctx.outbox.transaction(completing=command.operation_id) as work:
            await _finish(work, making, actor=command.actor)
    except SelectionOver:
        _log.info("selection_over", selection_id=str(selection.id))
        return
    _log.info("selection_complete", selection_id=str(selection.id))


async def give_up(ctx: SelectionContext, command: Command, error: str) -> None:
    """A selection that cannot be made fails, and its run with it."""
    if command.type != "select_repositories":
        return
    selection_id = _selection_id(command)
    async with ctx.outbox.transaction() as work:
        selection = await selections.get_selection(work.conn, selection_id)
        await selections.fail_selection(work.conn, selection_id, error=error)
        await selection_shards.forget_unfinished(work.conn, selection_id)
        if selection.run_id and await runs.move_run(work.conn, selection.run_id, to=RunState.FAILED, error=error):
            await work.emit(run_event(selection.run_id, RunState.FAILED, now=utcnow(), error=error))


def _making(ctx: SelectionContext, selection: Selection, command: Command) -> Making:
    usage = Usage()
    counting = replace(ctx, github=ctx.github.counting(usage))
    purpose = f"selection {selection.id} for {command.actor}"
    return Making(
        ctx=counting,
        selection=selection,
        spec=parse_spec(selection.document),
        access=Access(ctx.tokens, counting.github, run_id=selection.run_id, purpose=purpose),
        usage=usage,
    )


async def _begin(ctx: SelectionContext, command: Command) -> Selection | None:
    """The selection, now being made; None where it is finished, or its run is and nobody wants it any more."""
    selection_id = _selection_id(command)
    async with ctx.outbox.transaction() as work:
        if not await selections.mark_selecting(work.conn, selection_id):
            return None
        selection = await selections.get_selection(work.conn, selection_id)
        if selection.run_id is None:
            return selection
        if await runs.move_run(work.conn, selection.run_id, to=RunState.SELECTING):
            await work.emit(run_event(selection.run_id, RunState.SELECTING, now=utcnow()))
        run = await runs.get_run(work.conn, selection.run_id)
        if run.state is RunState.SELECTING:
            return selection
        await selections.cancel_selection(work.conn, selection_id)
        await selection_shards.forget_unfinished(work.conn, selection_id)
        return None


async def _combine(making: Making) -> None:
    """From candidates to the selection's repositories; what its files decide comes after it."""
    selection_id = making.selection.id
    excluding = [index for index, entry in enumerate(making.spec.on) if isinstance(entry, ExcludeEntry)]
    reasons = [f"on.{index} excludes it ({described(making.entry(index))})" for index in excluding]
    async with making.ctx.pool.acquire() as conn, conn.transaction():
        if not await selection_results.begin_examining(conn, selection_id):
            raise SelectionOver
        await selection_shards.combine_candidates(conn, selection_id, excluding=excluding, reasons=reasons)
        await selection_results.count_to_examine(conn, selection_id)


async def _finish(work: Work, making: Making, *, actor: str) -> None:
    selection, usage = making.selection, making.usage
    # the run comes first: whoever cancels it meanwhile waits for this transaction, or has this one see it
    if selection.run_id and not await runs.move_run(work.conn, selection.run_id, to=RunState.PLANNING):
        await selections.cancel_selection(work.conn, selection.id)
        await selection_shards.forget_unfinished(work.conn, selection.id)
        return
    if making.spec.limit:
        await selection_results.apply_limit(work.conn, selection.id, making.spec.limit)
    if not await selection_results.finish_selection(
        work.conn, selection.id, requests=usage.requests, points=usage.points
    ):
        raise SelectionOver
    await selection_shards.forget_working_memory(work.conn, selection.id)
    if selection.run_id:
        await work.accept(commands.plan_run(selection.run_id, actor=actor))
        await work.emit(run_event(selection.run_id, RunState.PLANNING, now=utcnow()))


def _selection_id(command: Command) -> SelectionId:
    return SelectionId(UUID(command.payload["selection_id"]))
