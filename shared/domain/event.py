"""Events: every transition of a run or a target, as the API, the event stream, the page and the CLI show it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from .ids import BulkOperationId, EventId, RunId, TargetId, new_id
from .run import RunState
from .target import Target, TargetState

EVENT_TYPES = frozenset(
    {
        *(f"run.{state}" for state in RunState),
        *("run.paused", "run.resumed", "run.wave"),
        *(f"target.{state}" for state in TargetState),
        "target.acted",
    }
)
"""Every type of event that there is."""


@dataclass(frozen=True, kw_only=True)
class Event:
    """One thing that happened. `type` is `run.<state>`, `target.<state>`, `selection.<state>`, `target.acted` where
    somebody did something to a target, or of a run that is paused or goes on `run.paused` or `run.resumed`,
    or `run.wave` where another wave of its rollout begins.

    The payload is JSON; for targets it has `repository`, `from`, `to`, and where known `reason` and
    `pull_request` (`number`, `url`).
    """

    id: EventId
    run_id: RunId
    target_id: TargetId | None
    type: str
    payload: Mapping[str, Any]
    occurred_at: datetime


def run_event(run_id: RunId, state: RunState, *, now: datetime, error: str | None = None) -> Event:
    """A run came to `state`."""
    payload: dict[str, Any] = {"to": state.value}
    if error:
        payload["error"] = error
    return Event(
        id=EventId(new_id()),
        run_id=run_id,
        target_id=None,
        type=f"run.{state}",
        payload=payload,
        occurred_at=now,
    )


def pause_event(run_id: RunId, state: RunState, *, is_paused: bool, by: str, now: datetime) -> Event:
    """A run that is in `state` was paused or resumed: `run.paused` or `run.resumed`."""
    return Event(
        id=EventId(new_id()),
        run_id=run_id,
        target_id=None,
        type="run.paused" if is_paused else "run.resumed",
        payload={"to": state.value, "by": by},
        occurred_at=now,
    )


def wave_event(run_id: RunId, wave: int, *, of: int, now: datetime) -> Event:
    """The run's wave of that number begins, counted from 1; the ones before it are done. It has `of` waves."""
    return Event(
        id=EventId(new_id()),
        run_id=run_id,
        target_id=None,
        type="run.wave",
        payload={"to": RunState.RUNNING.value, "wave": wave, "waves": of},
        occurred_at=now,
    )


def target_event(target: Target, *, before: TargetState, now: datetime, reason: str | None = None) -> Event:
    """A target went from `before` to the state that it is in."""
    payload: dict[str, Any] = {"repository": target.repository, "from": before.value, "to": target.state.value}
    if reason:
        payload["reason"] = reason
    if target.pull_request:
        payload["pull_request"] = {"number": target.pull_request.number, "url": target.pull_request.url}
    return Event(
        id=EventId(new_id()),
        run_id=target.run_id,
        target_id=target.id,
        type=f"target.{target.state}",
        payload=payload,
        occurred_at=now,
    )


def act_event(target: Target, *, action: str, actor: str, bulk_operation_id: BulkOperationId, now: datetime) -> Event:
    """Somebody did something to a target, of which its state tells nothing: from its state to the same one."""
    moved = target_event(target, before=target.state, now=now)
    act = {"action": action, "actor": actor, "bulk_operation_id": str(bulk_operation_id)}
    return replace(moved, type="target.acted", payload={**moved.payload, **act})
