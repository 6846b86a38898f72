"""When a run is expected to end, by its rollout and its pace."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shared.domain.outlook import AtWork, by_pace, by_rollout
from shared.domain.release import Facts
from shared.domain.spec.rollout import Rollout

NOW = datetime(2026, 6, 1, 9, 30, tzinfo=UTC)  # a Monday


@pytest.mark.parametrize(
    ("rollout", "facts", "hours"),
    [
        ({}, {}, 0),
        ({"windows": [{"rate": "10/hour"}]}, {}, 9),
        ({"windows": [{"rate": "10/hour"}]}, {"lately": 10}, 10),
        ({"windows": [{"rate": "50/hour"}, {"rate": 0, "start": "09:00", "end": "10:00"}]}, {}, 1.5),
        ({"windows": [{"rate": 0}]}, {}, None),
        ({"maxOpen": 100}, {}, 0),
        ({"maxOpen": 100}, {"open_now": 1}, None),
        ({"maxOpenPerRepo": 1}, {}, None),
        ({"waves": [{"percent": 5}, {"percent": 100}]}, {}, 0),
        ({"waves": [{"percent": 5, "gate": {"merged": 1}}, {"percent": 100}]}, {}, None),
    ],
)
def test_the_last_of_a_hundred_is_released_as_the_rollout_allows_or_nobody_can_tell(
    rollout: dict[str, Any], facts: dict[str, Any], hours: float | None
) -> None:
    known = Facts(with_change=100, unknown=0, begun=0, **{"open_now": 0, **facts})
    at = by_rollout(Rollout.model_validate(rollout), known, unpublished=100, now=NOW)
    assert at == (None if hours is None else NOW + timedelta(hours=hours))


def test_a_pace_is_told_once_enough_is_done() -> None:
    since = NOW - timedelta(seconds=30)
    assert by_pace(AtWork(waiting=0, left=100, done_lately=9, done_since=since), NOW) is None
    assert by_pace(AtWork(waiting=0, left=100, done_lately=30, done_since=since), NOW) == NOW + timedelta(seconds=100)
    assert by_pace(AtWork(waiting=5, left=0, done_lately=30, done_since=since), NOW) is None
