"""One watcher: what it is sent next, wherever it was when it came, and however slow it is.

A watcher holds a place in a channel's log and nothing else, so that a slow one costs no more than a fast one. What it
has not read meanwhile is still in the log, or in Redis; of that it is sent the newest state of each target. What Redis
has lost it is told by a snapshot.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

import asyncpg
import structlog

from shared.domain.run import RunState
from shared.errors import InvalidInput
from shared.streams.connection import UNAVAILABLE
from shared.streams.events import EventsLost, Followed
from shared.streams.feed import Crossing, order_of

from .channels import Channel
from .coalescing import AT_MOST, newest_of_each
from .hub import Hub
from .messages import END, HEARTBEAT, Message, of_event

log = structlog.stdlib.get_logger(__name__)

PAGE = 500
"""Events that a watcher who is far behind is read from Redis at once."""

AGAIN_SECONDS = 1.0
RETRY_MILLISECONDS = (1000, 3000)
"""When a watcher is to come back whose connection broke; not all at the same time."""


_PLANNED = f"run.{RunState.RUNNING}"
_AWAY = (*UNAVAILABLE, asyncpg.PostgresConnectionError, asyncpg.InterfaceError)


class Watcher:
    """Gives what one watcher is sent, until what it watches has ended."""

    def __init__(self, hub: Hub, run_id: Followed, *, last_event_id: str | None) -> None:
        self._hub = hub
        self._run_id = run_id
        self._channel: Channel | None = None
        self._position = last_event_id or ""  # up to which all was looked at; empty: a snapshot comes first
        self._order = (0, 0)
        self._number: int | None = None  # in the log; None where it is behind what the log has
        self._crossing: Crossing | None = None
        self._has_caught_up = False
        self._ends_here = False  # Postgres says that it has ended, and nothing more may come
        self._has_ended = False
        self._preamble = f"retry: {random.randint(*RETRY_MILLISECONDS)}\n".encode()  # noqa: S311 - no secret

    async def next(self) -> bytes:
        """What is to be sent next, waiting for it; empty when nothing more will come."""
        while not (self._has_ended or self._hub.is_stopping):
            try:
                text = await self._next()
            except (EventsLost, InvalidInput):  # too far behind, or not a position of ours
                self.close()
                self._position = ""
            except _AWAY as error:
                log.warning("event_stream_waits", run_id=str(self._run_id), error=str(error))
                self.close()
                await self._hub.pause(AGAIN_SECONDS)
                return HEARTBEAT
            else:
                if text:
                    text, self._preamble = self._preamble + text, b""
                    return text
        return b""

    def close(self) -> None:
        """Watches nothing more."""
        if self._channel:
            self._hub.leave(self._channel)
            self._channel = None

    async def _next(self) -> bytes:
        channel = self._channel or await self._join()
        if channel.is_lost:
            raise EventsLost(self._run_id, self._position)
        if not self._position:
            return await self._snapshot(channel)
        if self._number is None:
            return await self._page(channel)
        messages = channel.log.since(self._number)
        if messages is None:
            self._number = None
        elif messages:
            self._number += len(messages)
            return self._told(messages)
        elif self._ends_here:
            self._position = ""  # its end was not among what followed: it is told by a snapshot
        else:
            self._has_caught_up = True
            await channel.log.news()
            if self._number == channel.log.end and not channel.is_lost:
                return HEARTBEAT
        return b""

    async def _join(self) -> Channel:
        channel = self._channel = await self._hub.join(self._run_id)
        self._number, self._has_caught_up = None, False
        if self._position:
            self._ends_here = await channel.is_final()  # before it is looked at what followed
            self._order = order_of(self._position)
            if channel.log.holds(self._position, self._order):
                self._number = channel.log.number_after(self._order)
        return channel

    async def _snapshot(self, channel: Channel) -> bytes:
        snapshot = await channel.snapshot()
        edge = snapshot.edge
        self._crossing = None if edge.is_clear else Crossing(edge)
        self._position, self._order = edge.position, order_of(edge.position)
        self._number = channel.log.number_after(self._order)
        self._has_ended = snapshot.is_final
        return snapshot.text + END if snapshot.is_final else snapshot.text

    async def _page(self, channel: Channel) -> bytes:
        """What the log does not have any more, from Redis."""
        events = await channel.page(after=self._position, count=PAGE)
        text = self._told([of_event(event) for event in events]) if events else b""
        self._number = channel.log.number_after(self._order)
        if self._number is None and not events:
            raise EventsLost(self._run_id, self._position)
        if self._number is not None and channel.says_more_than_events:
            self._position = ""
        return text

    def _told(self, messages: Sequence[Message]) -> bytes:
        new = [each for each in messages if each.event_id is None or each.order > self._order]
        if messages[-1].order > self._order:  # not so where a snapshot was newer than the log
            self._position, self._order = messages[-1].position, messages[-1].order
        if self._crossing:
            passing = [
                each for each in new if each.event_id is None or self._crossing.passes(each.event_id, each.order)
            ]
            if self._crossing.is_over:
                self._crossing = None
            return self._text(passing, returning_to=0)
        if self._has_caught_up and len(new) > AT_MOST:  # it is slow, and not one that comes back
            return self._text(newest_of_each(new), returning_to=1)
        return self._text(new, returning_to=len(new))

    def _text(self, messages: Sequence[Message], *, returning_to: int) -> bytes:
        """The messages as they are sent; the watcher may come back at so many of them, the last ones."""
        if self._run_id:
            messages = self._up_to_its_end(messages)
        first = len(messages) - returning_to
        texts = [
            message.text if place >= first else message.text_without_position for place, message in enumerate(messages)
        ]
        return b"".join([*texts, END] if self._has_ended else texts)

    def _up_to_its_end(self, messages: Sequence[Message]) -> Sequence[Message]:
        for place, message in enumerate(messages):
            if message.is_final:
                self._has_ended = True
                return messages[: place + 1]
            if message.type == _PLANNED:
                self._position = ""  # there are targets now, of which no event tells: a snapshot does
        return messages
