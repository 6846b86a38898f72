"""What a webhook says of a pull request. Pure: payloads in, observations out.

Payloads are as GitHub's webhook reference describes them. A delivery is a hint and no proof: it can come late, twice
or never. So states of reviews and checks, which one delivery cannot know as a whole, are taken as they are said and
asked for again (see `reconciling`), and states of the pull request only from the newest.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias

from shared.domain.target import ChecksState, ReviewState, TargetState

Payload: TypeAlias = Mapping[str, Any]

_STATE_ACTIONS = frozenset({"closed", "reopened", "converted_to_draft", "ready_for_review"})
_CONCLUSIONS = {
    "success": ChecksState.PASSED,
    "neutral": ChecksState.PASSED,
    "skipped": ChecksState.PASSED,
    "failure": ChecksState.FAILED,
    "error": ChecksState.FAILED,
    "timed_out": ChecksState.FAILED,
    "cancelled": ChecksState.FAILED,
    "action_required": ChecksState.FAILED,
    "startup_failure": ChecksState.FAILED,
    "pending": ChecksState.PENDING,
}


@dataclass(frozen=True, kw_only=True)
class Observation:
    """What is said of the pull requests `numbers`, or of those whose branch is at `head_oid`. None: nothing said."""

    repository_node_id: str
    numbers: tuple[int, ...] = ()
    head_oid: str | None = None
    state: TargetState | None = None
    updated_at: datetime | None = None
    review_state: ReviewState | None = None
    checks_state: ChecksState | None = None
    pushed_by: str | None = None


def state_to_take(current: TargetState, said: TargetState) -> TargetState:
    """The state of a target that is `current`, after GitHub has said that its pull request is `said`.

    A target that is on its way again, or that has come to a stop, takes in only how its pull request ended.
    """
    if said is TargetState.CLOSED and current is TargetState.CANCELLED:
        return current
    if said in (TargetState.MERGED, TargetState.CLOSED):
        return said
    if current is TargetState.CONFLICTED:
        return said if said is TargetState.CONFLICTED else current  # only a look at GitHub says that it is over
    return said if current in (TargetState.DRAFT, TargetState.OPEN, TargetState.CLOSED) else current


def observe(event: str, payload: Payload) -> Observation | None:
    """The observation of an event; None for events, actions and repositories that say nothing of pull requests."""
    reader = _READERS.get(event)
    return reader(payload) if reader and "repository" in payload else None


def _pull_request(payload: Payload) -> Observation | None:
    action, pull_request = payload.get("action"), payload["pull_request"]
    common: dict[str, Any] = {
        "repository_node_id": payload["repository"]["node_id"],
        "numbers": (pull_request["number"],),
        "updated_at": datetime.fromisoformat(pull_request["updated_at"]),
    }
    if action in _STATE_ACTIONS:
        return Observation(**common, state=_state(pull_request))
    sender: Payload = payload.get("sender") or {}
    if action == "synchronize" and sender.get("type") == "User":
        return Observation(**common, pushed_by=sender.get("login"), head_oid=payload.get("after"))
    return None


def _state(pull_request: Payload) -> TargetState:
    if pull_request.get("merged"):
        return TargetState.MERGED
    if pull_request["state"] == "closed":
        return TargetState.CLOSED
    return TargetState.DRAFT if pull_request.get("draft") else TargetState.OPEN


def _review(payload: Payload) -> Observation | None:
    state = str(payload["review"]["state"]).lower()
    if state not in set(ReviewState):
        return None
    return Observation(
        repository_node_id=payload["repository"]["node_id"],
        numbers=(payload["pull_request"]["number"],),
        review_state=ReviewState(state),
    )


def _check(name: str) -> Callable[[Payload], Observation | None]:
    def read(payload: Payload) -> Observation | None:
        check = payload[name]
        suite: Payload = check if name == "check_suite" else check.get("check_suite") or {}
        listed: Sequence[Payload] = check.get("pull_requests") or suite.get("pull_requests") or []
        done = payload.get("action") == "completed"
        return Observation(
            repository_node_id=payload["repository"]["node_id"],
            numbers=tuple(pull_request["number"] for pull_request in listed),
            head_oid=check.get("head_sha"),
            checks_state=_CONCLUSIONS.get(check.get("conclusion") or "") if done else ChecksState.PENDING,
        )

    return read


def _status(payload: Payload) -> Observation | None:
    return Observation(
        repository_node_id=payload["repository"]["node_id"],
        head_oid=payload["sha"],
        checks_state=_CONCLUSIONS.get(payload["state"]),
    )


_READERS: dict[str, Callable[[Payload], Observation | None]] = {
    "pull_request": _pull_request,
    "pull_request_review": _review,
    "check_suite": _check("check_suite"),
    "check_run": _check("check_run"),
    "status": _status,
}
