"""Making, repeating and cancelling selections: each is one transaction."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from uuid import UUID

from shared.domain import commands
from shared.domain.ids import SelectionId, new_id
from shared.domain.operation import Operation
from shared.domain.selection import Selection, SelectionState
from shared.domain.spec import parse_spec
from shared.errors import Conflict, InvalidTransition
from shared.outbox import Outbox, Work
from shared.postgres import selection_shards, selections

from ..idempotency import with_key


async def start_selection(
    outbox: Outbox, *, document: str, fresh: bool, actor: str, idempotency_key: str | None
) -> tuple[Selection, Operation]:
    """A new selection by a spec, and the operation that makes it; raises `InvalidSpec`.

    The same idempotency key gives the same selection again; for something else than the first time it is a `Conflict`.
    """
    spec = parse_spec(document)

    async def insert(work: Work, selection_id: SelectionId) -> Selection:
        return await selections.insert_selection(
            work.conn,
            selection_id=selection_id,
            document=document,
            name=spec.name,
            namespace=spec.namespace,
            is_fresh=fresh,
            created_by=actor,
        )

    selection, operation = await _start(outbox, insert, actor=actor, idempotency_key=idempotency_key)
    _check_same(selection.document == document and selection.is_fresh == fresh and selection.previous_id is None)
    return selection, operation


async def repeat_selection(
    outbox: Outbox, selection_id: UUID, *, fresh: bool | None, actor: str, idempotency_key: str | None
) -> tuple[Selection, Operation]:
    """A new selection by the document of another one, to compare with it. It belongs to no run and no campaign."""
    async with outbox.transaction() as work:
        repeated = await selections.get_selection(work.conn, SelectionId(selection_id))
    name = parse_spec(repeated.document).name
    is_fresh = repeated.is_fresh if fresh is None else fresh

    async def insert(work: Work, selection_id: SelectionId) -> Selection:
        return await selections.insert_selection(
            work.conn,
            selection_id=selection_id,
            document=repeated.document,
            name=name,
            namespace=repeated.namespace,
            previous_id=repeated.id,
            is_fresh=is_fresh,
            created_by=actor,
        )

    selection, operation = await _start(outbox, insert, actor=actor, idempotency_key=idempotency_key)
    _check_same(selection.previous_id == repeated.id and selection.is_fresh == is_fresh)
    return selection, operation


async def cancel_selection(outbox: Outbox, selection_id: UUID) -> Selection:
    """Ends a selection that is being made: the worker stops at its next page. Once more changes nothing.

    Raises `Conflict` for a run's selection, which is cancelled with its run, and for one that is finished.
    """
    async with outbox.transaction() as work:
        selection = await selections.get_selection(work.conn, SelectionId(selection_id))
        if selection.state is SelectionState.CANCELLED:
            return selection
        if selection.run_id:
            raise Conflict(f"this selection is for run {selection.run_id}: cancel the run, which cancels it too")
        cancelled = await selections.cancel_selection(work.conn, selection.id)
        selection = await selections.get_selection(work.conn, selection.id)
    if not cancelled and selection.state is not SelectionState.CANCELLED:
        raise InvalidTransition("selection", selection.state, SelectionState.CANCELLED)
    await forget_what_was_found(outbox, selection.id)
    return selection


async def forget_what_was_found(outbox: Outbox, selection_id: SelectionId) -> None:
    """Removes what a cancelled selection had found so far.

    In a transaction of its own: the worker locks a page's rows before the selection's, a cancellation the other way.
    """
    async with outbox.transaction() as work:
        await selection_shards.forget_unfinished(work.conn, selection_id)


async def _start(
    outbox: Outbox,
    insert: Callable[[Work, SelectionId], Awaitable[Selection]],
    *,
    actor: str,
    idempotency_key: str | None,
) -> tuple[Selection, Operation]:
    selection_id = SelectionId(new_id())
    command = commands.select_repositories(selection_id, actor=actor)
    command = with_key(command, idempotency_key, act="start_selection")
    async with outbox.transaction() as work:
        [operation] = await work.accept(command)
        if operation.payload == command.payload:
            return await insert(work, selection_id), operation
        first_id = SelectionId(UUID(operation.payload["selection_id"]))  # the key was used before
        return await selections.get_selection(work.conn, first_id), operation


def _check_same(is_same: bool) -> None:
    if not is_same:
        raise Conflict("this Idempotency-Key was used for another selection; take a new one")
