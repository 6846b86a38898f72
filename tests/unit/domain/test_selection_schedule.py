"""Cron strings: in UTC, with five fields, and a wrong one says what is wrong with it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from shared.domain.selection_schedule import next_time
from shared.errors import InvalidInput

SATURDAY = datetime(2026, 2, 28, 9, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("cron", "expected"),
    [
        ("0 6 * * MON-FRI", datetime(2026, 3, 2, 6, tzinfo=UTC)),
        ("30 9 * * *", datetime(2026, 3, 1, 9, 30, tzinfo=UTC)),
        ("*/15 * * * *", datetime(2026, 2, 28, 9, 45, tzinfo=UTC)),
        ("0 0 29 2 *", datetime(2028, 2, 29, tzinfo=UTC)),
    ],
)
def test_the_next_time_is_after_now_and_in_utc(cron: str, expected: datetime) -> None:
    elsewhere = SATURDAY.astimezone(timezone(timedelta(hours=9)))
    assert next_time(cron, after=SATURDAY) == next_time(cron, after=elsewhere) == expected


@pytest.mark.parametrize(
    ("cron", "why"),
    [
        ("", "0 fields"),
        ("* * * * * *", "6 fields"),
        ("61 * * * *", "bad minute"),
        ("0 6 * * FUNDAY", "bad day-of-week"),
        ("0 0 31 2 *", "bad day-of-month"),
    ],
)
def test_a_wrong_cron_string_says_what_is_wrong(cron: str, why: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        next_time(cron, after=SATURDAY)
    [problem] = caught.value.problems
    assert why in problem.message
    assert problem.path == "cron"
