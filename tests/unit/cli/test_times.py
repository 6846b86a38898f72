"""Times and ages as people type them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from cli.failures import CommandFailed, ExitCode
from cli.times import parse_age, parse_moment, seconds_text

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "age"),
    [("90s", timedelta(seconds=90)), ("15m", timedelta(minutes=15)), ("2h", timedelta(hours=2)), ("7d", timedelta(7))],
)
def test_an_age_is_a_time_before_now(text: str, age: timedelta) -> None:
    assert parse_age(text) == age
    assert parse_moment(text, now=NOW) == NOW - age


@pytest.mark.parametrize("text", ["2026-03-01T10:00:00Z", "2026-03-01T11:00:00+01:00"])
def test_a_time_keeps_its_zone(text: str) -> None:
    assert parse_moment(text) == datetime(2026, 3, 1, 10, tzinfo=UTC)


def test_a_time_without_a_zone_is_of_this_machine() -> None:
    assert parse_moment("2026-03-01T10:00:00") == datetime(2026, 3, 1, 10).astimezone(UTC)


@pytest.mark.parametrize("text", ["yesterday", "", "2 h", "-1h", "2026-13-01", "9999999d", "999999d"])
def test_what_is_neither_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(CommandFailed) as refused:
        parse_moment(text)
    assert refused.value.exit_code is ExitCode.BAD_INPUT
    assert "2026-03-01T09:00:00Z" in refused.value.hint


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.42, "0.4 s"), (41, "41 s"), (119, "119 s"), (600, "10 min"), (9000, "2.5 h")]
)
def test_an_age_at_a_glance(seconds: float, text: str) -> None:
    assert seconds_text(seconds) == text
