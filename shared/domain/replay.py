"""Which operations an operator means, and under which key a finished one is accepted anew."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from .ids import OperationId, RunId
from .operation import OperationState

MOST_IN_ONE_ACT = 100_000
"""Most commands that one replay, requeue or purge touches."""

_COPY = re.compile(r"#replay:[^#]*\Z")


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """Operations of one service, each condition narrowing them; none = all."""

    type: str | None = None
    run_id: RunId | None = None
    operation_id: OperationId | None = None

    def matches(self, *, type: str, run_id: RunId | None, operation_id: OperationId) -> bool:  # noqa: A002
        """Whether an operation is meant."""
        return self.type in (None, type) and self.run_id in (None, run_id) and self.operation_id in (None, operation_id)


@dataclass(frozen=True, kw_only=True)
class WantedRange(Wanted):
    """The same within a range: accepted at `since` or later and before `until`, in one of `states` (none = any).

    `appended` tells what a range of stream ids means: see `AppendedRange`.
    """

    since: datetime | None = None
    until: datetime | None = None
    states: tuple[OperationState, ...] = ()
    appended: AppendedRange | None = None


@dataclass(frozen=True, kw_only=True)
class AppendedRange:
    """What was appended within a range of stream ids: what the stream still holds, by its operations' ids.

    What it does not hold any more is told by when it was accepted, the time that stream ids carry: from
    `forgotten_since`, before `forgotten_until`.
    """

    operation_ids: tuple[OperationId, ...]
    forgotten_since: datetime | None = None
    forgotten_until: datetime | None = None


def replay_key(dedupe_key: str, replay_id: str) -> str:
    """The dedupe key under which the replay `replay_id` accepts a finished operation anew.

    A copy that an earlier replay made gives the same key as its original, so that one replay repeats each once.
    """
    return f"{_COPY.sub('', dedupe_key)}#replay:{replay_id}"
