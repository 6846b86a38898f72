"""All runs at once: what they come to, and their targets counted, at most once a second each.

However many targets a run has, this says no more of it than that. Each transition of a run is an event of the stream of
all runs. The streams of those that go on are followed too, to know whose counts may have changed; one statement a
second counts those.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Mapping, Sequence
from typing import Any

import asyncpg
import structlog
from redis.exceptions import RedisError

from shared.domain.ids import RunId
from shared.domain.run import Run, is_finished
from shared.domain.target import TargetState
from shared.postgres import runs, target_counts
from shared.postgres.events import fetch_recent_event_ids_of_runs
from shared.postgres.pool import Connection
from shared.streams.events import StreamedEvent
from shared.streams.feed import order_of

from ..runs.schemas import ShownRun
from .channels import Channel, Reading, Sources
from .messages import FINAL, Message, message_text

log = structlog.stdlib.get_logger(__name__)

COUNT_SECONDS = 1.0
"""Least time between two counts of a run's targets."""


class EveryRunChannel(Channel):
    """All runs: their transitions, `progress` of each, and those that go on, with their counts, as a snapshot."""

    says_more_than_events = True

    def __init__(self, sources: Sources) -> None:
        super().__init__(sources, None)
        self._followed: dict[RunId, _Changes] = {}
        self._changed: set[RunId] = set()
        self._has_changed = asyncio.Event()
        self._told: dict[RunId, dict[str, Any]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def _start(self) -> None:
        await super()._start()
        async with self._sources.pool.acquire() as conn:
            unfinished = await runs.list_unfinished(conn)
        for run in unfinished:
            self._follow(run.id)
        self._begin(self._tell_progress())

    def deliver(self, events: Sequence[StreamedEvent]) -> None:
        """Takes what runs have come to."""
        super().deliver(events)
        for event in (entry.event for entry in events):
            self.changed(event.run_id)
            if event.type not in FINAL:
                self._follow(event.run_id)
            elif changes := self._followed.pop(event.run_id, None):
                changes.leave()

    def changed(self, run_id: RunId) -> None:
        """Is told that a run's counts may not be what they were."""
        self._changed.add(run_id)
        self._has_changed.set()

    def _follow(self, run_id: RunId) -> None:
        if run_id not in self._followed:
            changes = self._followed[run_id] = _Changes(self, self._sources, run_id)
            self._begin(changes.follow())

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def stray(self, run_id: RunId) -> None:
        """Is told that the stream of a run has a gap."""
        if self._followed.pop(run_id, None):
            self.changed(run_id)
            self._follow(run_id)

    async def _tell_progress(self) -> None:
        while True:
            await self._has_changed.wait()
            self._has_changed.clear()
            changed, self._changed = self._changed, set()
            try:
                async with self._sources.pool.acquire() as conn:
                    counted = await _count(conn, await runs.list_runs(conn, list(changed)))
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
                log.warning("runs_not_counted", runs=len(changed), error=str(error))
                self._changed |= changed
                self._has_changed.set()
            else:
                self._tell(counted)
            await asyncio.sleep(COUNT_SECONDS)

    def _tell(self, counted: Sequence[tuple[Run, Mapping[TargetState, int]]]) -> None:
        messages: list[Message] = []
        for run, counts in counted:
            shown = _shown(run, counts)
            if shown != self._told.get(run.id):
                messages.append(self._progress(run.id, shown))
            self._told[run.id] = shown
            if is_finished(run.state):
                del self._told[run.id]
        if messages:
            self.log.append(messages)

    def _progress(self, run_id: RunId, shown: dict[str, Any]) -> Message:
        position = self.log.position
        return Message(
            position=position,
            order=order_of(position),
            event_id=None,
            type="progress",
            supersedes=str(run_id),
            text=message_text("progress", position, shown),
        )

    async def _read(self, conn: Connection) -> Reading:
        counted = await _count(conn, await runs.list_unfinished(conn))
        return Reading(
            content={"runs": [_shown(run, counts) for run, counts in counted]},
            included=await fetch_recent_event_ids_of_runs(conn),
            is_final=False,
        )

    def close(self) -> None:
        """Follows nothing more."""
        super().close()
        for changes in self._followed.values():
            changes.leave()
        for task in tuple(self._tasks):
            task.cancel()


class _Changes:
    """Follows a run's stream to know when its counts change."""

    def __init__(self, channel: EveryRunChannel, sources: Sources, run_id: RunId) -> None:
        self._channel, self._tails, self._run_id = channel, sources.tails, run_id

    async def follow(self) -> None:
        try:
            await self._tails.follow(self._run_id, self)
        except (RedisError, OSError):
            self._channel.lost()  # its watchers begin again

    def deliver(self, events: Sequence[StreamedEvent]) -> None:  # noqa: ARG002
        self._channel.changed(self._run_id)

    def lost(self) -> None:
        self._channel.stray(self._run_id)

    def leave(self) -> None:
        self._tails.leave(self._run_id, self)


async def _count(conn: Connection, found: Sequence[Run]) -> list[tuple[Run, Mapping[TargetState, int]]]:
    counts = await target_counts.count_by_run(conn, [run.id for run in found])
    return [(run, counts[run.id]) for run in found]


def _shown(run: Run, counts: Mapping[TargetState, int]) -> dict[str, Any]:
    return {"run": ShownRun.model_validate(run).model_dump(mode="json"), "counts": dict(counts)}
