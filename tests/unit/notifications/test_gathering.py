"""What people are told, and when: at once what happens to a run, gathered what happens to targets."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from shared.domain.ids import RunId, TargetId
from shared.domain.notifications import (
    MOST_EXAMPLES,
    NOTABLE_EVENTS,
    RunNews,
    TargetNews,
    is_due,
    moments_of_event,
    notices_of,
    wanted_by,
)
from shared.domain.spec import Moment, parse_spec
from shared.domain.target import TargetState
from tests.integration.campaigns.rows import SPEC

NOW = datetime(2026, 3, 1, 9, tzinfo=UTC)
INTERVAL = timedelta(minutes=10)


def make_run(**values: Any) -> RunNews:
    known: dict[str, Any] = {"run_id": RunId(UUID(int=1)), "dry_run": False, "is_scheduled": False, "counts": {}}
    return RunNews(**known | values)


def make_target(number: int, state: TargetState, reason: str | None = None) -> TargetNews:
    return TargetNews(
        target_id=TargetId(UUID(int=number)),
        repository=f"acme/repo-{number}",
        state=state,
        reason=reason,
        pull_request_url=None,
    )


@pytest.mark.parametrize(
    ("oldest", "last_minutes_ago", "due"),
    [
        ({}, None, False),
        ({"run.completed": 0}, 0, True),  # of a run: at once
        ({"target.blocked": 0}, None, False),  # others may follow
        ({"target.blocked": 31}, None, True),
        ({"target.blocked": 31}, 5, False),  # told lately
        ({"target.blocked": 31}, 10, True),
        ({"target.blocked": 1, "target.failed": 40}, 11, True),
        ({"target.blocked": 31, "run.failed": 0}, 1, True),
    ],
)
def test_targets_are_gathered_and_runs_are_told_at_once(
    oldest: dict[str, int], last_minutes_ago: int | None, *, due: bool
) -> None:
    at = {event_type: NOW - timedelta(seconds=seconds) for event_type, seconds in oldest.items()}
    last_at = None if last_minutes_ago is None else NOW - timedelta(minutes=last_minutes_ago)
    assert is_due(at, has_merged=False, last_at=last_at, interval=INTERVAL, now=NOW) is due


def test_that_all_is_merged_is_told_at_once() -> None:
    assert is_due({}, has_merged=True, last_at=NOW, interval=INTERVAL, now=NOW)


def test_every_moment_comes_of_an_event() -> None:
    assert frozenset().union(*(moments_of_event(each) for each in NOTABLE_EVENTS)) == set(Moment)


def test_many_targets_are_one_notice_with_a_few_examples() -> None:
    targets = [make_target(number, TargetState.BLOCKED, "pushed to") for number in range(1, 41)]
    [notice] = notices_of(make_run(counts={TargetState.BLOCKED: 43}, targets=targets))
    assert (notice.moment, notice.text) == (Moment.TARGETS_BLOCKED, "40 targets are blocked, 43 in all")
    assert len(notice.examples) == MOST_EXAMPLES


def test_a_run_is_told_of_with_its_counts() -> None:
    counts = {TargetState.OPEN: 38, TargetState.FAILED: 1, TargetState.CLOSED: 0}
    [done] = notices_of(make_run(counts=counts, is_completed=True))
    [preview] = notices_of(make_run(counts=counts, is_completed=True, dry_run=True))
    assert (done.moment, done.text) == (Moment.RUN_COMPLETED, "the run is done: 38 open, 1 failed")
    assert (preview.moment, preview.text) == (Moment.PREVIEW_READY, "the preview is ready: 38 open, 1 failed")


def test_what_failed_comes_first() -> None:
    targets = [make_target(1, TargetState.CONFLICTED), make_target(2, TargetState.FAILED)]
    told = notices_of(make_run(error="12 of 40 failed", targets=targets, paused_by="key:first"))
    assert [each.moment for each in told] == [
        Moment.RUN_FAILED,
        Moment.TARGETS_FAILED,
        Moment.TARGETS_CONFLICTED,
        Moment.PAUSED,
    ]


def test_a_scheduled_run_that_found_nothing_is_not_told_of() -> None:
    assert notices_of(make_run(is_completed=True, is_scheduled=True, counts={TargetState.UNCHANGED: 9})) == []
    assert notices_of(make_run(is_completed=True, counts={}))
    assert notices_of(make_run(is_completed=True, is_scheduled=True, counts={TargetState.OPEN: 1}))


def test_everything_is_merged_only_where_nothing_was_closed_or_failed() -> None:
    [merged] = notices_of(make_run(is_all_merged=True, counts={TargetState.MERGED: 3, TargetState.UNCHANGED: 1}))
    [rest] = notices_of(make_run(is_all_merged=True, counts={TargetState.MERGED: 3, TargetState.CLOSED: 1}))
    assert merged.text == "everything is merged: 3 merged, 1 unchanged"
    assert rest.text == "nothing is open any more: 3 merged, 1 closed"


def test_each_is_told_what_it_wants() -> None:
    document = SPEC.format(name="told") + "notifications:\n  - email: {to: a@acme.example}\n    when: [runFailed]\n"
    [who] = parse_spec(document).notifications
    told = notices_of(make_run(error="no", is_completed=True, counts={TargetState.OPEN: 1}))
    assert [each.moment for each in wanted_by(who, told)] == [Moment.RUN_FAILED]


def test_who_says_nothing_is_told_what_is_done_and_what_waits() -> None:
    [who] = parse_spec(SPEC.format(name="told") + "notifications: [{slack: {url: {secret: s}}}]\n").notifications
    assert set(Moment) - set(who.when) == {Moment.WAVE_DONE, Moment.PAUSED, Moment.TARGETS_FAILED}
