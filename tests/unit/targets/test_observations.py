"""Webhook payloads, cut down to the fields that are read, as GitHub's reference has them."""

from __future__ import annotations

from typing import Any

import pytest

from shared.domain.target import ChecksState, ReviewState, TargetState
from workers.campaigns.following.observations import observe

REPOSITORY = {"node_id": "R_1", "full_name": "acme/api"}


def pull_request_payload(action: str, **values: Any) -> dict[str, Any]:
    pull_request = {"number": 2, "state": "open", "merged": False, "draft": False, "updated_at": "2026-01-02T03:04:05Z"}
    sender = {"login": "person", "type": values.pop("sender_type", "User")}
    return {
        "action": action,
        "after": "f" * 40,
        "pull_request": {**pull_request, **values},
        "repository": REPOSITORY,
        "sender": sender,
    }


@pytest.mark.parametrize(
    ("action", "values", "state"),
    [
        ("closed", {"state": "closed", "merged": True}, TargetState.MERGED),
        ("closed", {"state": "closed"}, TargetState.CLOSED),
        ("reopened", {}, TargetState.OPEN),
        ("reopened", {"draft": True}, TargetState.DRAFT),
        ("converted_to_draft", {"draft": True}, TargetState.DRAFT),
        ("ready_for_review", {}, TargetState.OPEN),
    ],
)
def test_what_happens_to_a_pull_request_is_its_targets_state(
    action: str, values: dict[str, Any], state: TargetState
) -> None:
    observation = observe("pull_request", pull_request_payload(action, **values))
    assert observation
    assert (observation.state, observation.numbers, observation.repository_node_id) == (state, (2,), "R_1")


def test_a_persons_push_is_told_and_a_bots_is_not() -> None:
    observation = observe("pull_request", pull_request_payload("synchronize"))
    assert observation
    assert (observation.pushed_by, observation.head_oid, observation.state) == ("person", "f" * 40, None)
    assert observe("pull_request", pull_request_payload("synchronize", sender_type="Bot")) is None


@pytest.mark.parametrize("state", ["approved", "changes_requested", "commented", "dismissed"])
def test_a_review_is_taken_as_it_is(state: str) -> None:
    payload = {"review": {"state": state}, "pull_request": {"number": 2}, "repository": REPOSITORY}
    observation = observe("pull_request_review", payload)
    assert observation
    assert observation.review_state is ReviewState(state)


@pytest.mark.parametrize("event", ["check_suite", "check_run"])
@pytest.mark.parametrize(
    ("action", "conclusion", "state"),
    [
        ("completed", "success", ChecksState.PASSED),
        ("completed", "skipped", ChecksState.PASSED),
        ("completed", "failure", ChecksState.FAILED),
        ("completed", "timed_out", ChecksState.FAILED),
        ("completed", "stale", None),
        ("requested", None, ChecksState.PENDING),
        ("rerequested", "success", ChecksState.PENDING),
    ],
)
def test_checks(event: str, action: str, conclusion: str | None, state: ChecksState | None) -> None:
    check = {"conclusion": conclusion, "head_sha": "e" * 40, "pull_requests": [{"number": 2}]}
    observation = observe(event, {"action": action, event: check, "repository": REPOSITORY})
    assert observation
    assert (observation.checks_state, observation.numbers, observation.head_oid) == (state, (2,), "e" * 40)


def test_a_commit_status_is_told_of_its_commit() -> None:
    observation = observe("status", {"sha": "e" * 40, "state": "error", "repository": REPOSITORY})
    assert observation
    assert (observation.head_oid, observation.checks_state) == ("e" * 40, ChecksState.FAILED)


@pytest.mark.parametrize("event", ["ping", "push", "installation", "pull_request_review_comment", "unheard_of"])
def test_what_says_nothing_of_a_pull_requests_state_is_nothing(event: str) -> None:
    assert observe(event, {"action": "opened", "repository": REPOSITORY}) is None
    assert observe("pull_request", pull_request_payload("labeled")) is None
