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
