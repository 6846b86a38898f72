"""Notifications: what people are told of a campaign, gathered so that nobody is flooded. Pure.

    if is_due(oldest, has_merged=False, last_at=notified_at, interval=interval, now=now):
        notices = [notice for run in news for notice in notices_of(run)]
        wanted_by(notification, notices)       # for each who is told

What happens to a run as a whole is told at once. What happens to targets is gathered for half a minute, and told at
most once in an interval, with the counts of what is so still. Each digest is one message to each who wants any of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from .ids import CampaignId, NotificationId, RunId, TargetId
from .spec.notifying import Moment, Notification
from .target import TargetState
from .webhooks import MessageState

SETTLE = timedelta(seconds=30)
"""How long targets are gathered: what goes wrong in one often goes wrong in many."""

MOST_EXAMPLES = 5

TEST = "test"
"""Stands for the moment in a message that was asked for to see whether messages arrive."""

OF_TARGETS = {
    TargetState.FAILED: Moment.TARGETS_FAILED,
    TargetState.BLOCKED: Moment.TARGETS_BLOCKED,
    TargetState.CONFLICTED: Moment.TARGETS_CONFLICTED,
}

NOTABLE_EVENTS = (
    *("run.completed", "run.failed", "run.paused", "run.wave"),
    *(f"target.{state}" for state in OF_TARGETS),
    *("target.merged", "target.closed"),  # after which all may be merged
)
"""Types of the events of which a notification may come."""


@dataclass(frozen=True, kw_only=True)
class TargetNews:
    """A target that came to a state in which it waits for somebody, and is in that state still."""

    target_id: TargetId
    repository: str
    state: TargetState
    reason: str | None
    pull_request_url: str | None


@dataclass(frozen=True, kw_only=True)
class RunNews:
    """What has happened to a run since somebody was told. `counts` are its targets by state, now.

    `is_completed`, `error` of one that failed, `paused_by`, and the number of the `wave` that began are set where that
    happened. `is_all_merged` is set once in its life.
    """

    run_id: RunId
    dry_run: bool
    is_scheduled: bool
    counts: Mapping[TargetState, int]
    is_completed: bool = False
    error: str | None = None
    paused_by: str | None = None
    wave: int | None = None
    is_all_merged: bool = False
    targets: Sequence[TargetNews] = ()


@dataclass(frozen=True, kw_only=True)
class Example:
    """One of the targets that a notice speaks of."""

    repository: str
    reason: str | None
    target_id: TargetId
    pull_request_url: str | None


@dataclass(frozen=True, kw_only=True)
class Notice:
    """One thing that is told."""

    moment: str  # of `Moment`, or TEST
    text: str
    run_id: RunId | None = None
    examples: tuple[Example, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """As it is stored and shown."""
        return {
            "moment": self.moment,
            "text": self.text,
            "run_id": str(self.run_id) if self.run_id else None,
            "examples": [
                {
                    "repository": each.repository,
                    "reason": each.reason,
                    "target_id": str(each.target_id),
                    "pull_request_url": each.pull_request_url,
                }
                for each in self.examples
            ],
        }


@dataclass(frozen=True, kw_only=True)
class StoredNotification:
    """A message to one who is told. `channel` is as the spec has it, with names of secrets and never their values.

    `attempts` were made; the next is due at `due_at`; `error` is the last one's.
    """

    id: NotificationId
    campaign_id: CampaignId
    campaign: str  # its name
    channel: Mapping[str, Any]
    notices: Sequence[Mapping[str, Any]]
    state: MessageState
    attempts: int
    tried_since: datetime
    due_at: datetime
    error: str | None
    created_at: datetime
    finished_at: datetime | None


def notices_of(run: RunNews) -> list[Notice]:
    """What there is to tell of a run, the most important first."""
    notices = [_of_targets(run, state, moment) for state, moment in OF_TARGETS.items() if _in_state(run, state)]
    if run.error is not None:
        notices.insert(0, _notice(run, Moment.RUN_FAILED, f"the run failed: {run.error}"))
    if run.is_completed and not _is_routine(run):
        done = (
            (Moment.PREVIEW_READY, "the preview is ready") if run.dry_run else (Moment.RUN_COMPLETED, "the run is done")
        )
        notices.append(_notice(run, done[0], f"{done[1]}: {counts_text(run.counts)}"))
    if run.is_all_merged:
        is_all = not (run.counts.get(TargetState.CLOSED) or run.counts.get(TargetState.FAILED))
        what = "everything is merged" if is_all else "nothing is open any more"
        notices.append(_notice(run, Moment.ALL_MERGED, f"{what}: {counts_text(run.counts)}"))
    if run.wave is not None:
        done = "wave 1 is done" if run.wave == 2 else f"waves 1 to {run.wave - 1} are done"
        notices.append(_notice(run, Moment.WAVE_DONE, f"{done}, wave {run.wave} begins: {counts_text(run.counts)}"))
    if run.paused_by is not None:
        notices.append(_notice(run, Moment.PAUSED, f"the run was paused by {run.paused_by}"))
    return notices


def moments_of_event(event_type: str) -> frozenset[Moment]:
    """What may be told where an event of that type has happened."""
    match event_type:
        case "run.completed":
            return frozenset({Moment.PREVIEW_READY, Moment.RUN_COMPLETED, Moment.ALL_MERGED})
        case "run.failed":
            return frozenset({Moment.RUN_FAILED})
        case "run.wave":
            return frozenset({Moment.WAVE_DONE})
        case "run.paused":
            return frozenset({Moment.PAUSED})
        case "target.merged" | "target.closed":
            return frozenset({Moment.ALL_MERGED})
        case _:
            return frozenset({OF_TARGETS[TargetState(event_type.removeprefix("target."))]})


def is_due(
    oldest: Mapping[str, datetime],
    *,
    has_merged: bool,
    last_at: datetime | None,
    interval: timedelta,
    now: datetime,
) -> bool:
    """Whether to tell now.

    `oldest` has the types of the events that have happened, and when each did first; `has_merged` says that of a run
    all is merged now; `last_at` is when something was told last.
    """
    if has_merged or any(event_type.startswith("run.") for event_type in oldest):
        return True
    is_quiet = last_at is None or now >= last_at + interval
    return bool(oldest) and is_quiet and now >= min(oldest.values()) + min(SETTLE, interval)


def wanted_by(notification: Notification, notices: Sequence[Notice]) -> list[Notice]:
    """Those that one who is told wants to know of."""
    return [each for each in notices if each.moment in notification.when]


def channel_of(notification: Notification) -> dict[str, Any]:
    """The channel as it is stored: the part of the spec, without what it wants to know."""
    return notification.model_dump(mode="json", exclude={"when"})


def channel_text(channel: Mapping[str, Any]) -> str:
    """The channel in a few words: `slack slack-releases`, `mail to platform@acme.example`."""
    match channel:
        case {"slack": {"url": {"secret": name}}}:
            return f"slack {name}"
        case {"webhook": {"url": {"secret": name}}}:
            return f"webhook {name}"
        case {"email": {"to": addresses}}:
            return f"mail to {', '.join(addresses)}"
        case _:
            return "unknown"


def channel_kind(channel: Mapping[str, Any]) -> str:
    """`slack`, `webhook` or `email`."""
    return next((kind for kind in ("slack", "webhook", "email") if kind in channel), "unknown")


def counts_text(counts: Mapping[TargetState, int]) -> str:
    """`38 open, 2 unchanged`."""
    return ", ".join(f"{count} {state}" for state, count in counts.items() if count) or "no targets"


def _of_targets(run: RunNews, state: TargetState, moment: Moment) -> Notice:
    found = _in_state(run, state)
    what = "target is" if len(found) == 1 else "targets are"
    told = {TargetState.FAILED: "failed", TargetState.BLOCKED: "blocked", TargetState.CONFLICTED: "in conflict"}[state]
    in_all = run.counts.get(state, 0)
    more = f", {in_all} in all" if in_all > len(found) else ""
    examples = tuple(
        Example(
            repository=each.repository,
            reason=each.reason,
            target_id=each.target_id,
            pull_request_url=each.pull_request_url,
        )
        for each in found[:MOST_EXAMPLES]
    )
    return _notice(run, moment, f"{len(found)} {what} {told}{more}", examples)


def _notice(run: RunNews, moment: Moment, text: str, examples: tuple[Example, ...] = ()) -> Notice:
    return Notice(moment=moment, text=text, run_id=run.run_id, examples=examples)


def _in_state(run: RunNews, state: TargetState) -> list[TargetNews]:
    return [each for each in run.targets if each.state is state]


def _is_routine(run: RunNews) -> bool:
    """Whether a schedule started the run, and it found nothing to do."""
    return run.is_scheduled and not any(
        count for state, count in run.counts.items() if state is not TargetState.UNCHANGED
    )
