"""How far a run is, computed from its event stream. Pure: what is shown of it stands in `watching`."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from httpx_sse import ServerSentEvent

from shared.domain.run import RunState, is_finished
from shared.domain.target import TargetState

_S = TargetState
ORDER = (
    _S.PENDING, _S.PREPARING, _S.PREPARED, _S.PUBLISHING, _S.DRAFT, _S.OPEN, _S.MERGED, _S.CLOSED, _S.UNCHANGED,
    _S.PAUSED, _S.CONFLICTED, _S.BLOCKED, _S.CANCELLED, _S.FAILED,
)  # fmt: skip
"""States in the order that a target passes through them."""

UNHAPPY = (TargetState.FAILED, TargetState.BLOCKED, TargetState.CONFLICTED)
"""States that make `apply`, `run` and `watch` end with exit code 1."""

_UNDER_WAY = {TargetState.PENDING, TargetState.PREPARING, TargetState.PUBLISHING}


@dataclass
class RunProgress:
    """A run as its events tell it: first a snapshot, then each transition."""

    run: dict[str, Any] = field(default_factory=dict[str, Any])
    counts: Counter[str] = field(default_factory=Counter[str])
    reasons: list[tuple[str, str, str]] = field(default_factory=list[tuple[str, str, str]])
    outlook: dict[str, Any] = field(default_factory=dict[str, Any])  # the run as it was last asked for

    def apply(self, event: ServerSentEvent) -> None:
        """Takes in one event; those of other kinds change nothing."""
        data: dict[str, Any] = event.json()
        if event.event == "snapshot":
            self.run = data["run"]
            self.counts = Counter(data["counts"])
        elif event.event.startswith("target."):
            self._target_moved(data)
        elif event.event.startswith("run."):
            payload = data["payload"]
            self.run = self.run | {"state": payload["to"], "error": payload.get("error")}

    def _target_moved(self, data: dict[str, Any]) -> None:
        payload = data["payload"]
        self.counts[payload["from"]] -= 1
        self.counts[payload["to"]] += 1
        if payload.get("reason") and payload["to"] in UNHAPPY:
            self.reasons.append((payload["repository"], payload["to"], payload["reason"]))

    @property
    def state(self) -> str:
        """The run's state."""
        return str(self.run.get("state", RunState.PENDING))

    @property
    def total(self) -> int:
        """How many targets there are."""
        return sum(self.counts.values())

    @property
    def settled(self) -> int:
        """How many targets need no more work: in a dry run that is where they are prepared."""
        under_way = set(_UNDER_WAY) if self.run.get("dry_run") else _UNDER_WAY | {TargetState.PREPARED}
        if is_finished(RunState(self.state)):
            return self.total
        return sum(count for state, count in self.counts.items() if state not in under_way)

    @property
    def ordered_counts(self) -> dict[str, int]:
        """The counts that are not zero, in the order of `ORDER`."""
        return {state.value: self.counts[state] for state in ORDER if self.counts[state] > 0}

    @property
    def failed(self) -> bool:
        """Whether the run, or any target, came to a bad end."""
        return self.state in (RunState.FAILED, RunState.CANCELLED) or any(self.counts[state] for state in UNHAPPY)
