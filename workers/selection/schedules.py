"""Selections by schedule: what is due is taken and asked for in one transaction, so that no time is used twice."""

from __future__ import annotations

from datetime import datetime

import structlog

from shared.clock import utcnow
from shared.domain import commands
from shared.domain.ids import SelectionId, new_id
from shared.domain.selection import Selection, SelectionState
from shared.domain.selection_schedule import SelectionSchedule, next_time
from shared.domain.spec import parse_spec
from shared.errors import InvalidSpec
from shared.outbox import Outbox, Work
from shared.postgres import selection_schedules, selections

from .context import SelectionContext

CHECK_SECONDS = 10.0

_UNFINISHED = (SelectionState.PENDING, SelectionState.SELECTING)

_log = structlog.get_logger(__name__)


async def start_due_selections(ctx: SelectionContext) -> None:
    """Starts what is due."""
    await start_due(ctx.outbox, now=utcnow())


async def start_due(outbox: Outbox, *, now: datetime) -> int:
    """Starts a selection for each schedule that is due at `now`; gives how many.

    However many times were missed, one selection makes up for them. A time that comes while the schedule's last
    selection is still being made is passed over.
    """
    async with outbox.transaction() as work:
        due = await selection_schedules.claim_due(work.conn, now=now)
        started = [await _start(work, schedule) for schedule in due]
        for schedule in due:
            following = next_time(schedule.cron, after=now)
            await selection_schedules.move_on(work.conn, schedule.id, next_at=following)
    return sum(started)


async def _start(work: Work, schedule: SelectionSchedule) -> bool:
    last_id = schedule.last_selection_id
    last = await selections.get_progress(work.conn, last_id) if last_id else None
    if last and last.state in _UNFINISHED:
        _log.warning("selection_passed_over", schedule=schedule.name, unfinished=str(last.id))
        return False
    selection_id = SelectionId(new_id())
    await selections.insert_selection(
        work.conn,
        selection_id=selection_id,
        document=schedule.document,
        name=_name_in(schedule.document),
        namespace=schedule.namespace,
        schedule_id=schedule.id,
        previous_id=_to_compare_with(last),
        is_fresh=schedule.is_fresh,
        created_by=schedule.created_by,
    )
    await work.accept(commands.select_repositories(selection_id, actor=schedule.created_by))
    _log.info("selection_scheduled", schedule=schedule.name, selection_id=str(selection_id))
    return True


def _to_compare_with(last: Selection | None) -> SelectionId | None:
    """The schedule's newest selection that is complete."""
    if last is None:
        return None
    return last.id if last.state is SelectionState.COMPLETE else last.previous_id


def _name_in(document: str) -> str:
    try:
        return parse_spec(document).name
    except InvalidSpec:  # of an older version: the selection fails and says why, and other schedules go on
        return ""
