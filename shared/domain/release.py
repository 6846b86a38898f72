"""How many prepared targets of a run may be published now by its `rollout`, and what the rest waits for.

    released = release(rollout, facts, candidates, waiting=40, now=now)
    released.chosen        # the targets to publish now, in order
    released.waits_for     # why not more: a window, a rate, the gate of a wave, maxOpen; None where none is left

Pure: who calls it looks at the facts and marks what was chosen in one transaction.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from .ids import TargetId
from .spec.rollout import Gate, Rollout, Wave
from .waiting import Wait, WaitKind, moment_in_words
from .windows import in_words, next_opening, opens_any, slot_in_windows, window_at

MOST_AT_ONCE = 1000
"""Targets released in one pass; the next pass goes on."""


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What a decision is made of.

    Of the run: `with_change` targets are known to have a change, `unknown` are not prepared yet, `begun` ones were
    released, or have a pull request. Of the first of these that make each wave with those before it, `merged` are
    merged, and `passed` have passed their checks: one number a wave.
    Of the campaign: `open_now` pull requests are open or on their way; `lately` were released within the period of the
    rate that holds now. Of the newest of these, as many as the rate has, the first was released at `since`. Where other
    runs have none of what is open, `others_open` is false: then no target is an update.
    """

    with_change: int
    unknown: int
    begun: int
    open_now: int
    merged: tuple[int, ...] = ()
    passed: tuple[int, ...] = ()
    lately: int = 0
    since: datetime | None = None
    others_open: bool = False


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """A target that waits. `is_update` says that its pull request is open already, so that none is added to those.

    `open_in_repository` counts the campaign's pull requests that are open there, or on their way.
    """

    target_id: TargetId
    repository_node_id: str
    is_update: bool = False
    open_in_repository: int = 0


@dataclass(frozen=True, kw_only=True)
class Allowance:
    """At most so many may begin now, of which so many may open a pull request that is not open yet."""

    begin: int
    open: int
    next_at: datetime | None = None  # when the rest may begin, where time alone decides
    waits_for: Wait | None = None  # what the rest waits for


@dataclass(frozen=True, kw_only=True)
class Release:
    """The targets to publish now; what the others wait for, and when to look again: None = whenever things change."""

    chosen: tuple[TargetId, ...]
    next_at: datetime | None
    waits_for: Wait | None


def release(rollout: Rollout, facts: Facts, candidates: Sequence[Candidate], *, waiting: int, now: datetime) -> Release:
    """Chooses among the candidates, the first of `waiting` targets, in their order."""
    allowance = allow(rollout, facts, now)
    chosen = choose(candidates, allowance, most_per_repository=rollout.max_open_per_repo)
    ids = tuple(each.target_id for each in chosen)
    if len(ids) >= waiting:
        return Release(chosen=ids, next_at=None, waits_for=None)
    added = sum(not each.is_update for each in chosen)
    after = replace(
        facts,
        begun=facts.begun + len(ids),
        open_now=facts.open_now + added,
        lately=facts.lately + len(ids),
        since=facts.since or (now if ids else None),
    )
    rest = allow(rollout, after, now)
    waits_for = rest.waits_for or (_repositories_full(rollout) if len(ids) < MOST_AT_ONCE else None)
    return Release(chosen=ids, next_at=rest.next_at, waits_for=waits_for)


def allow(rollout: Rollout, facts: Facts, now: datetime) -> Allowance:
    """What windows, waves and `maxOpen` allow together; the first of them that allows nothing is what is waited for."""
    limits = [_by_windows(rollout, facts, now), _by_waves(rollout, facts)]
    begin = max(0, min(limit.begin for limit in limits))
    by_open = _by_max_open(rollout, facts)
    closed = next((limit for limit in [*limits, by_open] if limit.begin <= 0), None)
    return Allowance(
        begin=begin,
        open=max(0, min(begin, by_open.begin)),
        next_at=limits[0].next_at if limits[0].begin <= 0 else None,
        waits_for=closed.waits_for if closed else None,
    )


def choose(
    candidates: Sequence[Candidate], allowance: Allowance, *, most_per_repository: int | None
) -> list[Candidate]:
    """The first candidates that there is room for."""
    chosen: list[Candidate] = []
    added: Counter[str] = Counter()
    for each in candidates:
        if len(chosen) >= min(allowance.begin, MOST_AT_ONCE):
            break
        if each.is_update:
            chosen.append(each)
            continue
        repository = each.repository_node_id
        is_full = most_per_repository is not None and (
            each.open_in_repository + added[repository] >= most_per_repository
        )
        if added.total() < allowance.open and not is_full:
            added[repository] += 1
            chosen.append(each)
    return chosen


_ANY = 1_000_000_000


@dataclass(frozen=True, kw_only=True)
class _Limit:
    begin: int
    waits_for: Wait | None = None
    next_at: datetime | None = None


def _by_windows(rollout: Rollout, facts: Facts, now: datetime) -> _Limit:
    window = window_at(rollout.windows, now)
    if window is None or not opens_any(window):
        return _closed_until(next_opening(rollout.windows, now))
    rate = window.rate
    if rate.count is None:
        return _Limit(begin=_ANY)
    if facts.lately < rate.count:
        return _Limit(begin=rate.count - facts.lately)
    slot = (facts.since or now) + rate.period
    at = slot_in_windows(rollout.windows, slot, now=now)
    if at is None or at > slot:
        return _closed_until(at)
    return _Limit(begin=0, next_at=at, waits_for=Wait(kind=WaitKind.RATE, text=f"rollout: {in_words(rate)}", until=at))


def _closed_until(at: datetime | None) -> _Limit:
    text = f"window opens {moment_in_words(at)}" if at else "no window of rollout.windows ever opens"
    return _Limit(begin=0, next_at=at, waits_for=Wait(kind=WaitKind.WINDOW, text=text, until=at))


def _by_max_open(rollout: Rollout, facts: Facts) -> _Limit:
    if rollout.max_open is None:
        return _Limit(begin=_ANY)
    text = f"{facts.open_now} pull requests are open, the most that rollout.maxOpen allows"
    if facts.open_now > rollout.max_open:
        text = f"{facts.open_now} pull requests are open, more than rollout.maxOpen allows ({rollout.max_open})"
    return _Limit(begin=rollout.max_open - facts.open_now, waits_for=Wait(kind=WaitKind.MAX_OPEN, text=text))


def _by_waves(rollout: Rollout, facts: Facts) -> _Limit:
    for number, wave in enumerate(rollout.waves[:-1], start=1):
        size = wave_size(wave, facts.with_change)
        if facts.begun < size:
            return _Limit(begin=size - facts.begun)
        if facts.unknown:
            text = f"wave {number + 1} waits until every target is prepared (now {facts.unknown} are not)"
            return _Limit(begin=0, waits_for=Wait(kind=WaitKind.WAVE, text=text))
        missing = _missing(wave.gate, size, facts, number)
        if missing:
            waves = "wave 1" if number == 1 else f"waves 1 to {number}"
            text = f"wave {number + 1} waits for {missing[0]} of {waves} ({missing[1]})"
            return _Limit(begin=0, waits_for=Wait(kind=WaitKind.WAVE, text=text))
    return _Limit(begin=_ANY)


def wave_begun(rollout: Rollout, facts: Facts, released: int) -> int | None:
    """The wave after the first that so many targets, released now, begin; None where they go on with one."""
    for number, wave in enumerate(rollout.waves[:-1], start=2):
        if 0 < facts.begun <= wave_size(wave, facts.with_change) < facts.begun + released:
            return number
    return None


def wave_size(wave: Wave, with_change: int) -> int:
    """How many targets the wave makes with those before it, of so many that have a change."""
    return math.ceil(round(with_change * wave.percent / 100, 6))


def _missing(gate: Gate | None, size: int, facts: Facts, number: int) -> tuple[str, str] | None:
    """What a gate wants of a wave of that size and what is true now, in words; None where it holds."""
    if gate is None or not size:
        return None
    for wanted, counts, what in (
        (gate.merged, facts.merged, "merged"),
        (gate.checks_passed, facts.passed, "with their checks passed"),
    ):
        if wanted is not None and (count := counts[number - 1]) < round(wanted * size, 6):
            return f"{wanted * 100:g} % {what}", f"now {math.floor(100 * count / size)} %"
    return None


def _repositories_full(rollout: Rollout) -> Wait | None:
    if rollout.max_open_per_repo is None:
        return None
    most = rollout.max_open_per_repo
    text = f"the repositories have as many open pull requests as rollout.maxOpenPerRepo allows ({most})"
    return Wait(kind=WaitKind.MAX_OPEN_PER_REPOSITORY, text=text)
