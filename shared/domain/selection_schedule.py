"""Selections that are made again and again, at times that a cron string names."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from cronsim import CronSim, CronSimError

from ..errors import InvalidInput, Problem
from .ids import SelectionId

_FIELDS = 5


@dataclass(frozen=True, kw_only=True)
class SelectionSchedule:
    """Makes a selection of `document` at each time of `cron`, in UTC; the next time is `next_at`.

    While `paused_at` is set nothing is made. `last_selection_id` is the newest selection that it made.
    """

    id: UUID
    name: str
    namespace: str  # of the spec
    document: str  # the YAML spec
    cron: str
    is_fresh: bool
    next_at: datetime
    paused_at: datetime | None
    created_by: str
    created_at: datetime
    last_selection_id: SelectionId | None


def next_time(cron: str, *, after: datetime) -> datetime:
    """The first time after `after` that the cron string names, in UTC; raises `InvalidInput`."""
    try:
        if len(cron.split()) != _FIELDS:
            raise _wrong(cron, f"it has {len(cron.split())} fields")
        return next(CronSim(cron, after.astimezone(UTC)))
    except CronSimError as error:
        raise _wrong(cron, str(error)) from None
    except StopIteration:
        raise _wrong(cron, "no day is like that") from None


def _wrong(cron: str, why: str) -> InvalidInput:
    hint = "write minute, hour, day of month, month and day of week, such as 0 6 * * MON-FRI"
    return InvalidInput(f"{cron!r} is not a cron string", [Problem(why[:1].lower() + why[1:], path="cron", hint=hint)])
