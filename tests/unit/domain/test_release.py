"""What a rollout releases, and when: never too much, and never nothing where something is allowed."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from shared.domain.ids import TargetId, new_id
from shared.domain.release import Candidate, Facts, allow, release, wave_begun
from shared.domain.spec.rollout import Rollout
from shared.domain.waiting import Wait, WaitKind, duration_in_words
from shared.domain.windows import next_opening, opens_any, window_at

MONDAY = datetime(2026, 6, 1, 9, 30, tzinfo=UTC)
ONE = Facts(with_change=100, unknown=0, begun=0, open_now=0)


def make_rollout(**fields: Any) -> Rollout:
    return Rollout.model_validate(fields)


def candidates(count: int) -> list[Candidate]:
    return [Candidate(target_id=TargetId(new_id()), repository_node_id=f"R_{number}") for number in range(count)]


def waited(rollout: Rollout, facts: Facts, now: datetime = MONDAY) -> str:
    waits_for = release(rollout, facts, candidates(3), waiting=1000, now=now).waits_for
    return waits_for.in_words(now) if waits_for else ""


def test_without_a_rollout_everything_is_released() -> None:
    released = release(make_rollout(), ONE, candidates(40), waiting=40, now=MONDAY)
    assert (len(released.chosen), released.next_at, released.waits_for) == (40, None, None)


_TIMES = st.builds("{:02}:{:02}".format, st.integers(0, 23), st.sampled_from([0, 30]))
_WINDOWS = st.lists(
    st.fixed_dictionaries(
        {"rate": st.sampled_from([0, "2/minute", "3/hour", "5/day", "unlimited"])},
        optional={
            "days": st.lists(st.sampled_from(["monday", "tuesday", "sunday"]), min_size=1, unique=True),
            "start": _TIMES,
            "end": _TIMES,
        },
    ),
    max_size=4,
)
_MOMENTS = st.datetimes(datetime(2026, 6, 1), datetime(2026, 6, 9), timezones=st.just(UTC))  # noqa: DTZ001


@given(_WINDOWS, _MOMENTS)
def test_the_next_opening_is_the_first_moment_that_opens_any(windows: list[Any], now: datetime) -> None:
    parsed = make_rollout(windows=windows).windows
    opening = next_opening(parsed, now)
    until = opening or now + timedelta(days=8)
    assume(not opens_any(window_at(parsed, now)))
    steps = int((until - now) / timedelta(minutes=30))
    assert not any(opens_any(window_at(parsed, now + step * timedelta(minutes=30))) for step in range(steps))
    assert opening is None or opens_any(window_at(parsed, opening))


@settings(max_examples=40)
@given(_WINDOWS, st.integers(1, 6) | st.none(), st.integers(1, 2) | st.none(), _MOMENTS, st.data())
def test_as_time_passes_and_pull_requests_end_all_is_released_and_never_too_much(
    windows: list[Any], max_open: int | None, per_repo: int | None, now: datetime, data: st.DataObject
) -> None:
    waves = [{"percent": 20, "gate": {"merged": 0.5}}, {"percent": 60, "gate": {"checksPassed": 1}}, {"percent": 100}]
    rollout = make_rollout(maxOpen=max_open, maxOpenPerRepo=per_repo, windows=windows, waves=waves)
    assume(not windows or next_opening(rollout.windows, now))
    waiting = {TargetId(new_id()): f"R_{number // 3}" for number in range(20)}
    open_now: dict[TargetId, str] = {}
    times: list[datetime] = []
    released_in_order: list[TargetId] = []
    ended: set[TargetId] = set()
    while waiting:
        window = window_at(rollout.windows, now)
        period = window.rate.period if window else timedelta(hours=1)
        recent = sorted(at for at in times if at > now - period)
        newest = recent[-window.rate.count :] if window and window.rate.count else recent
        begun = 20 - len(waiting)
        merged = tuple(len(ended.intersection(released_in_order[:size])) for size in (4, 12, 20))
        facts = Facts(
            with_change=20, unknown=0, begun=begun, merged=merged, passed=merged, open_now=len(open_now),
            lately=len(recent), since=newest[0] if newest else None,
        )  # fmt: skip
        counts = Counter(open_now.values())
        offered = [
            Candidate(target_id=target, repository_node_id=repository, open_in_repository=counts[repository])
            for target, repository in waiting.items()
        ]
        released = release(rollout, facts, offered, waiting=len(waiting), now=now)
        for target in released.chosen:
            open_now[target] = waiting.pop(target)
            released_in_order.append(target)
            times.append(now)
        if released.chosen:
            assert opens_any(window)
            assert window
            assert window.rate.count is None or len([at for at in times if at > now - period]) <= window.rate.count
        assert max_open is None or len(open_now) <= max_open
        assert per_repo is None or max(Counter(open_now.values()).values(), default=0) <= per_repo
        assert begun >= 4 or 20 - len(waiting) <= 4, "the second wave began before the first was released"
        assert merged[0] >= 2 or 20 - len(waiting) <= 4, "the second wave began before the gate of the first"
        assert not waiting or released.chosen or released.waits_for, "something waits and it is not known what for"
        if released.next_at:
            assert released.next_at > now
            now = released.next_at
        elif open_now:
            ending = data.draw(st.lists(st.sampled_from(sorted(open_now)), min_size=1, unique=True))
            for target in ending:
                del open_now[target]
            ended.update(ending)
            now += timedelta(minutes=1)
        else:
            assert released.chosen, "nothing can go on"


@pytest.mark.parametrize(
    ("rollout", "facts", "text"),
    [
        ({"maxOpen": 200}, {"open_now": 200}, "200 pull requests are open, the most that rollout.maxOpen allows"),
        ({"maxOpen": 200}, {"open_now": 197}, "200 pull requests are open, the most that rollout.maxOpen allows"),
        (
            {"windows": [{"rate": "10/hour", "days": ["monday"], "start": "10:00", "end": "16:00"}]},
            {},
            "window opens Monday 10:00 UTC",
        ),
        ({"windows": [{"rate": 0}]}, {}, "no window of rollout.windows ever opens"),
        (
            {"windows": [{"rate": "10/hour"}]},
            {"lately": 10, "since": MONDAY - timedelta(minutes=59, seconds=48)},
            "rollout: 10/hour, next slot in 12 s",
        ),
        (
            {"windows": [{"rate": "10/hour", "start": "08:00", "end": "10:00"}]},
            {"lately": 10, "since": MONDAY},
            "window opens Tuesday 08:00 UTC",
        ),
        (
            {"waves": [{"percent": 10, "gate": {"merged": 0.9}}, {"percent": 100}]},
            {"begun": 10, "merged": (4, 4), "passed": (4, 4)},
            "wave 2 waits for 90 % merged of wave 1 (now 40 %)",
        ),
        (
            {"waves": [{"percent": 10}, {"percent": 20, "gate": {"checksPassed": 0.95}}, {"percent": 100}]},
            {"begun": 20, "merged": (0, 0, 0), "passed": (9, 18, 18)},
            "wave 3 waits for 95 % with their checks passed of waves 1 to 2 (now 90 %)",
        ),
        (
            {"waves": [{"percent": 10}, {"percent": 100}]},
            {"begun": 10, "unknown": 7},
            "wave 2 waits until every target is prepared (now 7 are not)",
        ),
        (
            {"maxOpen": 5, "waves": [{"percent": 10, "gate": {"merged": 0.5}}, {"percent": 100}]},
            {"begun": 13, "open_now": 5, "merged": (8, 8), "passed": (8, 8)},
            "5 pull requests are open, the most that rollout.maxOpen allows",
        ),
        (
            {"maxOpenPerRepo": 2},
            {},
            "the repositories have as many open pull requests as rollout.maxOpenPerRepo allows (2)",
        ),
    ],
)
def test_what_a_run_waits_for_is_told_in_words(rollout: dict[str, Any], facts: dict[str, Any], text: str) -> None:
    assert waited(make_rollout(**rollout), Facts(**{**vars(ONE), **facts})) == text


def test_a_pull_request_that_is_open_already_is_updated_whatever_max_open_says() -> None:
    first, second = candidates(2)
    again = Candidate(target_id=second.target_id, repository_node_id="R_1", is_update=True, open_in_repository=1)
    facts = Facts(with_change=2, unknown=0, begun=0, open_now=1)
    released = release(make_rollout(maxOpen=1, maxOpenPerRepo=1), facts, [first, again], waiting=2, now=MONDAY)
    assert released.chosen == (again.target_id,)


def test_a_canary_is_of_the_targets_that_are_known_to_have_a_change() -> None:
    rollout = make_rollout(waves=[{"percent": 5}, {"percent": 100}])
    for with_change, begin in ((1, 1), (20, 1), (21, 2), (100, 5)):
        facts = Facts(with_change=with_change, unknown=5, begun=0, open_now=0)
        assert allow(rollout, facts, MONDAY).begin == begin


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(-3, "0 s"), (12.4, "12 s"), (240, "4 min"), (7500, "2 h 5 min"), (3600, "1 h"), (100 * 3600, "4 d 4 h")],
)
def test_durations_are_told_as_people_tell_them(seconds: float, text: str) -> None:
    assert duration_in_words(timedelta(seconds=seconds)) == text


def test_a_wait_survives_its_way_through_postgres() -> None:
    for until in (MONDAY, None):
        wait = Wait(kind=WaitKind.RATE, text="rollout: 10/hour", until=until)
        assert Wait.from_json(wait.to_json()) == wait


@pytest.mark.parametrize(
    ("begun", "released", "wave"),
    [(0, 5, None), (3, 2, None), (5, 1, 2), (5, 45, 2), (20, 10, None), (50, 50, 3), (60, 40, None), (5, 0, None)],
)
def test_the_wave_that_begins_is_known_by_the_targets_that_are_released(
    begun: int, released: int, wave: int | None
) -> None:
    rollout = make_rollout(waves=[{"percent": 5}, {"percent": 50}, {"percent": 100}])
    facts = Facts(with_change=100, unknown=0, begun=begun, open_now=0)
    assert wave_begun(rollout, facts, released) == wave
