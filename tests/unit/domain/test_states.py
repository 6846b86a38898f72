"""The state machines are tables; these tests say what the tables promise."""

from __future__ import annotations

import pytest

from shared.domain import run, target
from shared.domain.run import RunState
from shared.domain.target import TargetState
from shared.errors import InvalidTransition


@pytest.mark.parametrize("state", TargetState)
def test_every_target_state_is_in_the_table_and_can_be_reached(state: TargetState) -> None:
    assert state in target.TARGET_TRANSITIONS
    assert state is TargetState.PENDING or target.states_before(state)


@pytest.mark.parametrize("state", RunState)
def test_every_run_state_is_in_the_table_and_can_be_reached(state: RunState) -> None:
    assert state in run.RUN_TRANSITIONS
    assert state is RunState.PENDING or run.states_before(state)


ORDER = [
    "pending", "preparing", "prepared", "publishing", "unchanged", "failed", "draft", "open", "conflicted", "merged",
    "closed", "cancelled", "paused", "blocked",
]  # fmt: skip
"""How the rows and columns of the table below follow each other."""

MAY_BECOME = """
    pending     . x x . . x . . . x x x x x
    preparing   . . x . x x x x x x x x x x
    prepared    x . . x . x . . . x x x x x
    publishing  x . . . . x x x x x x x x x
    unchanged   x . . . . . . . . . x . . .
    failed      x . . . . . . . . x x x . .
    draft       x . . . . . . x x x x . . x
    open        x . . . . . x . x x x . . x
    conflicted  x . . . . . x x . x x . . x
    merged      . . . . . . . . . . . . . .
    closed      . . . . . . x x x x . . . .
    cancelled   x . . . . . . . . x . . . .
    paused      x . x . . . x x . x x x . .
    blocked     x . . . . . x x . x x x . .
"""


@pytest.mark.parametrize("row", MAY_BECOME.split("\n")[1:-1], ids=lambda row: row.split()[0])
def test_each_transition_of_a_target_is_allowed_or_refused_as_the_table_says(row: str) -> None:
    before, *allowed = row.split()
    for after, mark in zip(ORDER, allowed, strict=True):
        if mark == "x":
            target.check_transition(TargetState(before), TargetState(after))
        else:
            with pytest.raises(InvalidTransition):
                target.check_transition(TargetState(before), TargetState(after))


def test_the_table_has_every_state() -> None:
    assert set(ORDER) == {row.split()[0] for row in MAY_BECOME.split("\n")[1:-1]} == set(TargetState)


def test_a_merged_target_stays_merged() -> None:
    for state in TargetState:
        with pytest.raises(InvalidTransition, match=f"a target that is merged cannot become {state}"):
            target.check_transition(TargetState.MERGED, state)


def test_nothing_is_published_without_having_been_prepared() -> None:
    assert target.states_before(TargetState.PUBLISHING) == (TargetState.PREPARED,)


@pytest.mark.parametrize("state", [RunState.COMPLETED, RunState.FAILED, RunState.CANCELLED])
def test_a_finished_run_stays_finished(state: RunState) -> None:
    assert run.is_finished(state)
    with pytest.raises(InvalidTransition):
        run.check_transition(state, RunState.RUNNING)


def test_every_unsettled_target_can_be_cancelled() -> None:
    assert set(target.states_before(TargetState.CANCELLED)) >= target.UNSETTLED
