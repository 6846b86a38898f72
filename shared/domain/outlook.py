"""When a run is expected to end, of what is known: its limits, its rollout, and how fast it went lately."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from .release import Facts
from .spec.rollout import Rollout
from .windows import released_by

_ENOUGH_TO_TELL = 10
"""Targets that must be done before their pace says anything."""


@dataclass(frozen=True, kw_only=True)
class AtWork:
    """Targets of a run: `waiting` ones wait for its rollout, `left` ones are to be done.

    `done_lately` is how many were done in the last minutes, the first of them at `done_since`.
    """

    waiting: int
    left: int
    done_lately: int
    done_since: datetime | None


def by_pace(at_work: AtWork, now: datetime) -> datetime | None:
    """When what is left is done at the present pace; None where it is too early to tell."""
    if not at_work.left or at_work.done_lately < _ENOUGH_TO_TELL or at_work.done_since is None:
        return None
    return now + (now - at_work.done_since) * (at_work.left / at_work.done_lately)


def depends_on_people(rollout: Rollout, facts: Facts, *, unpublished: int) -> bool:
    """Whether the end waits for pull requests to be merged, closed or checked, which nobody can foresee."""
    room = rollout.max_open is None or unpublished <= rollout.max_open - facts.open_now
    gated = any(wave.gate for wave in rollout.waves[:-1])
    return not room or gated or rollout.max_open_per_repo is not None


def by_rollout(rollout: Rollout, facts: Facts, *, unpublished: int, now: datetime) -> datetime | None:
    """When the last of `unpublished` pull requests may be opened; None where nobody can tell."""
    if depends_on_people(rollout, facts, unpublished=unpublished):
        return None
    return released_by(rollout.windows, unpublished, lately=facts.lately, now=now)
