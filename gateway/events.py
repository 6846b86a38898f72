"""A run as Server-Sent Events: a snapshot from Postgres, then what follows, with no gap and no double.

How that is kept is told in `shared/streams/feed.py`; this module gives it the form of an event stream.
"""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator
from typing import Any

from shared.domain.event import Event
from shared.domain.ids import RunId
from shared.domain.run import Run, RunState, is_finished
from shared.errors import InvalidInput
from shared.postgres import runs, targets
from shared.postgres.events import fetch_recent_event_ids
from shared.streams.events import EventsLost
from shared.streams.feed import RunFeed

from .resources import Resources
from .runs.schemas import ShownRun

BLOCK_SECONDS = 1.0
"""How long a read waits, and so how long a stopping gateway may wait for its watchers."""

HEARTBEAT_SECONDS = 15.0

_FINAL = {f"run.{state}" for state in RunState if is_finished(state)}


async def watch_run(resources: Resources, run_id: RunId, *, last_event_id: str | None) -> AsyncIterator[str]:
    """The event stream of one watcher; ends with the run, or when the gateway is stopped."""
    feed = RunFeed(resources.events, run_id, after=last_event_id) if last_event_id else None
    while not resources.stopping.is_set():
        try:
            if feed is None:
                feed, run, counts = await _snapshot(resources, run_id)
                yield _message("snapshot", feed.position, {"run": _shown(run), "counts": counts})
                if is_finished(run.state):
                    break
            async for message, is_last in _follow(resources, feed):
                yield message
                if is_last:
                    yield _message("end", None, {})
                    return
        except (EventsLost, InvalidInput):
            feed = None  # too far behind, or not a position of ours: begin with a snapshot
        else:
            return
    if feed:
        yield _message("end", None, {})


async def _follow(resources: Resources, feed: RunFeed) -> AsyncIterator[tuple[str, bool]]:
    heard_at = time.monotonic()
    while not resources.stopping.is_set():
        for entry in await feed.next(block_seconds=BLOCK_SECONDS):
            heard_at = time.monotonic()
            yield _message(entry.event.type, entry.position or "", _told(entry.event)), entry.event.type in _FINAL
        if time.monotonic() - heard_at > HEARTBEAT_SECONDS:
            heard_at = time.monotonic()
            yield ": still here\n\n", False


async def _snapshot(resources: Resources, run_id: RunId) -> tuple[RunFeed, Run, dict[str, int]]:
    position = await resources.events.position(run_id)
    async with resources.pool.acquire() as conn, conn.transaction(isolation="repeatable_read", readonly=True):
        run = await runs.get_run(conn, run_id)
        counts = await targets.count_by_state(conn, run_id)
        included = await fetch_recent_event_ids(conn, run_id)
    feed = await RunFeed.after_snapshot(resources.events, run_id, position=position, included=included)
    return feed, run, {state.value: count for state, count in counts.items()}


def _shown(run: Run) -> dict[str, Any]:
    return ShownRun.model_validate(run).model_dump(mode="json")


def _told(event: Event) -> dict[str, Any]:
    return {
        "id": str(event.id),
        "run_id": str(event.run_id),
        "target_id": str(event.target_id) if event.target_id else None,
        "type": event.type,
        "occurred_at": event.occurred_at.isoformat(),
        "payload": event.payload,
    }


def _message(event: str, position: str | None, content: dict[str, Any]) -> str:
    identity = f"id: {position or ''}\n" if event != "end" else ""
    return f"{identity}event: {event}\ndata: {json.dumps(content, separators=(',', ':'))}\n\n"
