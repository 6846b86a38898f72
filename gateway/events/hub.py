"""What is watched in this process at this moment: a channel for each run, and one for all runs."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from redis.asyncio import Redis, RedisCluster

from shared.observability import metrics
from shared.postgres.pool import Pool
from shared.streams.events import Followed, RunEvents
from shared.streams.tails import open_tails

from .channels import Channel, RunChannel, Sources
from .every_run import EveryRunChannel

HEARTBEAT_SECONDS = 15.0
BEATS = 5
"""How often within that time it is looked at who was silent for so long."""


class Hub:
    """Opens a channel for the first who watches, and closes it when the last has left."""

    def __init__(self, sources: Sources, stopping: asyncio.Event, *, heartbeat_seconds: float) -> None:
        self._sources = sources
        self._stopping = stopping
        self._heartbeat_seconds = heartbeat_seconds
        self._channels: dict[Followed, Channel] = {}
        self._watched: set[Channel] = set()  # with those that are lost and not left yet

    @property
    def is_stopping(self) -> bool:
        """Whether the gateway was asked to end."""
        return self._stopping.is_set()

    async def pause(self, seconds: float) -> None:
        """Waits, no longer than until the gateway is asked to end."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), seconds)

    async def join(self, run_id: Followed) -> Channel:
        """The channel of a run, or of all; it is to be left. Raises what Redis and Postgres raise."""
        channel = self._channels.get(run_id)
        if channel is None or channel.is_lost:
            channel = RunChannel(self._sources, run_id) if run_id else EveryRunChannel(self._sources)
            self._channels[run_id] = channel
            self._watched.add(channel)
        channel.watchers += 1
        metrics.EVENT_WATCHERS.inc()
        try:
            await channel.started()
        except BaseException:
            self.leave(channel)
            raise
        return channel

    def leave(self, channel: Channel) -> None:
        """Is called once for each that has joined."""
        channel.watchers -= 1
        metrics.EVENT_WATCHERS.dec()
        if channel.watchers == 0:
            self._watched.discard(channel)
            if self._channels.get(channel.run_id) is channel:
                del self._channels[channel.run_id]
            channel.close()

    async def beat(self) -> None:
        """Wakes the watchers of what is silent, so that they say that they are still there; all at the end."""
        while not self.is_stopping:
            await self.pause(self._heartbeat_seconds / BEATS)
            silent_since = time.monotonic() - self._heartbeat_seconds
            for channel in tuple(self._watched):
                if channel.log.changed_at < silent_since:
                    channel.log.wake()
        for channel in tuple(self._watched):
            channel.log.wake()

    def close(self) -> None:
        """Closes every channel."""
        for channel in self._watched:
            channel.close()


@asynccontextmanager
async def open_hub(
    pool: Pool, redis: Redis, stopping: asyncio.Event, *, heartbeat_seconds: float = HEARTBEAT_SECONDS
) -> AsyncIterator[Hub]:
    """A hub whose channels are closed at the end; `stopping` is set when the gateway is asked to end."""
    events = RunEvents(redis)
    async with open_tails(events, together=not isinstance(redis, RedisCluster)) as tails:
        hub = Hub(Sources(pool=pool, events=events, tails=tails), stopping, heartbeat_seconds=heartbeat_seconds)
        beating = asyncio.create_task(hub.beat())
        try:
            yield hub
        finally:
            beating.cancel()
            await asyncio.gather(beating, return_exceptions=True)
            hub.close()
