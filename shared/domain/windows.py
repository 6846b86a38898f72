"""Which window of a rollout holds at a moment, and when the next one opens. Times are UTC."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta

from .spec.rollout import Rate, Weekday, Window

_WEEK_AND_A_DAY = 9
"""Days in which everything that happens in a week begins, whatever the time of day now is."""

_MOST_PERIODS = 3000
"""Periods that an estimate looks ahead."""

ANY_TIME = Window.model_validate({"rate": "unlimited"})
"""What holds where a rollout has no windows."""


def window_at(windows: Sequence[Window], moment: datetime) -> Window | None:
    """The window that decides at `moment`: the last that holds then. None where none does; all hold where none is."""
    if not windows:
        return ANY_TIME
    at = moment.astimezone(UTC)
    return next((window for window in reversed(windows) if _holds(window, at)), None)


def opens_any(window: Window | None) -> bool:
    """Whether any pull request is opened in the window."""
    return window is not None and window.rate.count != 0


def next_opening(windows: Sequence[Window], after: datetime) -> datetime | None:
    """The first moment after `after` at which pull requests may be opened; None where there is no such moment."""
    return next((at for at in boundaries(windows, after) if opens_any(window_at(windows, at))), None)


def slot_in_windows(windows: Sequence[Window], slot: datetime, *, now: datetime) -> datetime | None:
    """When to go on, where the rate of the window that holds now has room again at `slot`.

    Earlier where another window with a rate of its own begins before, later where `slot` is in none that opens any.
    """
    window = window_at(windows, now)
    for at in boundaries(windows, now):
        if at >= slot:
            break
        other = window_at(windows, at)
        if other is not window and opens_any(other):
            return at
    return slot if opens_any(window_at(windows, slot)) else next_opening(windows, slot)


def released_by(windows: Sequence[Window], count: int, *, lately: int, now: datetime) -> datetime | None:
    """When the last of so many is released, where `lately` were in the present period; None: never, or in years."""
    at, left = now, count
    for _ in range(_MOST_PERIODS):
        window = window_at(windows, at)
        if window is None or not opens_any(window):
            opening = next_opening(windows, at)
            if opening is None:
                return None
            at = opening
            continue
        if window.rate.count is None:
            return at
        left -= max(0, window.rate.count - (lately if at == now else 0))
        if left <= 0:
            return at
        end = next((each for each in boundaries(windows, at) if window_at(windows, each) is not window), None)
        at = min(at + window.rate.period, end or at + window.rate.period)
    return None


def boundaries(windows: Sequence[Window], after: datetime) -> list[datetime]:
    """The moments after `after` at which another window may begin to decide, in order, for more than a week."""
    start = after.astimezone(UTC)
    days = [start.date() + timedelta(days=number) for number in range(_WEEK_AND_A_DAY)]
    times = {time.min} | {window.start for window in windows} | {w.end for w in windows if w.end != time.max}
    return sorted(at for at in (_moment(day, each) for day in days for each in times) if at > start)


def _moment(day: date, at: time) -> datetime:
    return datetime.combine(day, at, tzinfo=UTC)


def _holds(window: Window, at: datetime) -> bool:
    today, yesterday, now = Weekday(at.weekday()), Weekday((at.weekday() - 1) % len(Weekday)), at.time()
    if window.start < window.end:
        return today in window.days and window.start <= now and (now < window.end or window.end == time.max)
    return (today in window.days and now >= window.start) or (yesterday in window.days and now < window.end)


_PERIOD_NAMES = {60: "minute", 3600: "hour", 86400: "day"}


def in_words(rate: Rate) -> str:
    """`10/hour`."""
    return f"{rate.count}/{_PERIOD_NAMES[int(rate.period.total_seconds())]}"
