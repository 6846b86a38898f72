"""The pace of a run: what it waits for at this moment, and when it is expected to be done."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from redis.exceptions import RedisError

from shared.clock import utcnow
from shared.domain.ids import InstallationId, RunId
from shared.domain.outlook import AtWork, by_pace, by_rollout
from shared.domain.run import Run, RunState
from shared.domain.spec import Rollout, parse_version
from shared.domain.waiting import Wait, WaitKind
from shared.domain.windows import window_at
from shared.postgres import campaigns, releases, target_counts
from shared.postgres.pool import Connection
from shared.streams.budgets import Budgets, Denial
from shared.streams.github_budgets import CONTENT, WRITES, github_windows, identity_of, in_words

from ..resources import Resources


@dataclass(frozen=True, kw_only=True)
class Standing:
    """What Postgres knows of a run's pace. `rollout_allows_at` is None where it depends on people."""

    run: Run
    unpublished: Mapping[InstallationId, int]
    at_work: AtWork
    released: tuple[InstallationId, ...]  # with targets that wait for nothing but GitHub
    rollout_allows_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class Outlook:
    """What a run waits for, the earliest that GitHub's limits let it end, and when it is expected to."""

    waits_for: tuple[Wait, ...] = ()
    limits_allow_at: datetime | None = None
    expected_at: datetime | None = None


async def get_standing(conn: Connection, run: Run, *, now: datetime) -> Standing:
    """Reads it; in one transaction with what it is shown beside."""
    unpublished = await target_counts.unpublished_by_installation(conn, run.id)
    return Standing(
        run=run,
        unpublished=unpublished,
        at_work=await releases.at_work(conn, run.id),
        released=tuple(await target_counts.released_installations(conn, run.id)),
        rollout_allows_at=await _rollout_allows_at(conn, run, sum(unpublished.values()), now),
    )


async def rollout_of(conn: Connection, run: Run) -> Rollout:
    """How the run's version of the spec rolls out."""
    version = await campaigns.get_spec_version(conn, run.campaign_id, run.spec_version)
    return parse_version(version.document).rollout


async def _rollout_allows_at(conn: Connection, run: Run, unpublished: int, now: datetime) -> datetime | None:
    rollout = await rollout_of(conn, run)
    if rollout.is_at_once or not unpublished:
        return now
    window = window_at(rollout.windows, now)
    rate = window.rate if window else None
    facts = await releases.get_facts(
        conn, run_id=run.id, campaign_id=run.campaign_id, waves=rollout.waves, rate=rate, now=now
    )
    return by_rollout(rollout, facts, unpublished=unpublished, now=now)


async def look_ahead(resources: Resources, standing: Standing) -> Outlook:
    """What the run waits for, and until when; the limits are left out where Redis is away."""
    run, now = standing.run, utcnow()
    if run.state is not RunState.RUNNING:
        return Outlook(waits_for=_paused(run))
    budgets = Budgets(resources.redis, github_windows(resources.settings))
    try:
        allowed = await _limits_allow_at(resources, budgets, run.id, standing.unpublished)
        denial = await _denial(resources, budgets, standing.released)
    except (RedisError, OSError):
        allowed, denial = None, None
    waits = list(_paused(run))
    if run.waits_for and standing.at_work.waiting:
        waits.append(run.waits_for)
    if denial:
        until = now + timedelta(seconds=denial.seconds)
        waits.append(Wait(kind=WaitKind.LIMIT, text=in_words(denial.budget, resources.settings), until=until))
    expected = None if run.paused_at else _expected_at(standing, allowed, is_limited=denial is not None, now=now)
    return Outlook(waits_for=tuple(waits), limits_allow_at=allowed, expected_at=expected)


def _paused(run: Run) -> tuple[Wait, ...]:
    return (Wait(kind=WaitKind.PAUSED, text=f"paused by {run.paused_by}"),) if run.paused_at else ()


def _expected_at(
    standing: Standing, limits_allow_at: datetime | None, *, is_limited: bool, now: datetime
) -> datetime | None:
    """The latest of what is known; while a limit holds, the pace of late says nothing about the time after it."""
    at_work = standing.at_work
    if standing.rollout_allows_at is None or not at_work.left + at_work.waiting:
        return None
    pace = None if is_limited else by_pace(at_work, now)
    known = [at for at in (limits_allow_at, pace) if at]
    if at_work.waiting:
        known.append(standing.rollout_allows_at)
    return max(known, default=None)


async def _limits_allow_at(
    resources: Resources, budgets: Budgets, run_id: RunId, installations: Collection[InstallationId]
) -> datetime | None:
    """When all pull requests can be open at the earliest, each installation's beside the others'.

    None where none is to be opened, and where the server has no limits. Redis is read before Postgres, which counts
    what is being published as done: a pull request may then be in neither number for a moment, and never in both.
    In both it could be the one too many that waits for another hour.
    """
    if not installations or not resources.settings.keeps_github_limits:
        return None
    rooms = {each: await budgets.room(identity_of(each), CONTENT, lane=WRITES) for each in installations}
    now = utcnow()
    async with resources.pool.acquire() as conn:
        left = await target_counts.not_begun_by_installation(conn, run_id)
    return now + timedelta(seconds=max(room.seconds_until(left.get(each, 0)) for each, room in rooms.items()))


async def _denial(resources: Resources, budgets: Budgets, released: tuple[InstallationId, ...]) -> Denial | None:
    """What keeps the next pull request, where none of the installations may open one now: the first to end."""
    if not released or not resources.settings.keeps_github_limits:
        return None
    denials = [await budgets.denial(identity_of(each), dict.fromkeys(CONTENT, 1), lane=WRITES) for each in released]
    held = [denial for denial in denials if denial]
    return min(held, key=lambda denial: denial.seconds) if len(held) == len(denials) else None
