"""Each error has one outcome."""

from __future__ import annotations

import inspect
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest
import redis.exceptions

from shared import errors
from workers.retries import (
    AWAY,
    BLOCKING,
    HOPELESS,
    Blocked,
    DeadLetter,
    DeferUntil,
    Disposition,
    Done,
    ProcessEnded,
    RetryAt,
    backoff_seconds,
    classify,
    describe,
)

NOW = datetime(2026, 1, 1, tzinfo=UTC)
LATER = NOW + timedelta(minutes=20)


def outcome(error: BaseException, *, attempt: int = 1) -> Disposition:
    return classify(error, attempt=attempt, max_attempts=3, now=NOW)


def test_what_is_done_already_is_done() -> None:
    assert outcome(errors.AlreadyDone("yes")) == Done()


@pytest.mark.parametrize(
    "error",
    [errors.Defer(LATER, "a window"), errors.GitHubLimited("slow down", retry_at=LATER, secondary=True)],
)
@pytest.mark.parametrize("attempt", [1, 3, 99])
def test_a_limit_defers_to_its_time_whatever_the_attempt(error: Exception, attempt: int) -> None:
    disposition = outcome(error, attempt=attempt)
    assert isinstance(disposition, DeferUntil)
    assert disposition.at == LATER


def test_a_time_that_has_passed_means_now() -> None:
    disposition = outcome(errors.Defer(NOW - timedelta(hours=1), "late"))
    assert disposition == DeferUntil(NOW, str(errors.Defer(NOW - timedelta(hours=1), "late")))


@pytest.mark.parametrize(
    "error",
    [
        errors.Unavailable("Postgres", "no"),
        ConnectionRefusedError(),
        asyncpg.ConnectionDoesNotExistError("closed in the middle"),
        asyncpg.AdminShutdownError("restart"),
        asyncpg.CannotConnectNowError("starting"),
        asyncpg.InterfaceError("connection is closed"),
        redis.exceptions.ConnectionError("no"),
        redis.exceptions.BusyLoadingError("loading"),
        redis.exceptions.ReadOnlyError("replica"),
    ],
)
@pytest.mark.parametrize("attempt", [1, 99])
def test_a_store_that_is_away_spends_no_attempt(error: Exception, attempt: int) -> None:
    disposition = outcome(error, attempt=attempt)
    assert isinstance(disposition, DeferUntil)
    assert NOW < disposition.at < NOW + timedelta(seconds=5)


@pytest.mark.parametrize(
    "error",
    [
        errors.GitHubUnavailable("502"),
        errors.GitHubUnauthorized("401"),
        TimeoutError(),
        KeyError("x"),
        asyncpg.InterfaceError("another operation is in progress"),
    ],
)
def test_what_may_pass_is_retried_and_then_given_up(error: Exception) -> None:
    first, second, third = (outcome(error, attempt=attempt) for attempt in (1, 2, 3))
    assert isinstance(first, RetryAt)
    assert isinstance(second, RetryAt)
    assert first.at < second.at
    assert isinstance(third, DeadLetter)


def test_the_wait_grows_to_five_minutes_and_no_further() -> None:
    assert [backoff_seconds(attempt) for attempt in (1, 2, 3, 4, 5, 6, 100)] == [1, 4, 16, 64, 256, 300, 300]


def test_the_wait_is_spread() -> None:
    waits = {disposition.at for _ in range(20) if isinstance(disposition := outcome(KeyError("x")), RetryAt)}
    assert len(waits) > 10
    assert all(timedelta(seconds=0.8) <= at - NOW <= timedelta(seconds=1.2) for at in waits)


@pytest.mark.parametrize("error", [errors.TargetBlocked("foreign commits"), errors.InstallationSuspended("suspended")])
def test_what_somebody_must_act_on_is_blocked(error: Exception) -> None:
    assert isinstance(outcome(error), Blocked)


@pytest.mark.parametrize(
    "error",
    [
        errors.InvalidInput("no"),
        errors.InvalidSpec([]),
        errors.NotFound("run", 1),
        errors.AlreadyExists("campaign", "x"),
        errors.InvalidTransition("run", "failed", "running"),
        errors.NotPermitted("no"),
        errors.GitHubNotFound("404"),
        errors.GitHubForbidden("403"),
        errors.GitHubInvalid("422"),
        errors.InstallationNotFound("gone"),
        errors.StepFailed(0, "no match"),
        ProcessEnded(5),
    ],
)
def test_what_no_retry_mends_is_given_up_at_once(error: Exception) -> None:
    assert outcome(error) == DeadLetter(str(error))


def test_every_error_of_ours_has_its_place_in_the_table() -> None:
    named: tuple[type[Exception], ...] = (
        errors.AlreadyDone,
        errors.Defer,
        errors.GitHubLimited,
        errors.GitHubUnavailable,  # retried, as what is unforeseen is
        errors.GitHubUnauthorized,
        *AWAY,
        *BLOCKING,
        *HOPELESS,
    )
    families = {errors.OctobatchError, errors.GitHubError}
    ours: list[Any] = [
        kind
        for _, kind in inspect.getmembers(errors, inspect.isclass)
        if issubclass(kind, errors.OctobatchError) and kind not in families
    ]
    assert [kind.__name__ for kind in ours if not issubclass(kind, named)] == []


def test_an_error_of_somebody_elses_is_told_with_its_type() -> None:
    assert describe(KeyError("x")) == "KeyError: 'x'"
    assert describe(TimeoutError()) == "TimeoutError"
    assert describe(errors.InvalidInput("plain")) == "plain"
