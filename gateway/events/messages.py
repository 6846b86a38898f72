"""Messages of an event stream as text, made once for all who get them."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Any

from shared.domain.event import Event
from shared.domain.ids import EventId
from shared.domain.run import RunState, is_finished
from shared.streams.events import StreamedEvent
from shared.streams.feed import order_of

HEARTBEAT = b": still here\n\n"
END = b"event: end\ndata: {}\n\n"

FINAL = frozenset(f"run.{state}" for state in RunState if is_finished(state))
"""Events with which a run ends."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Message:
    """What a watcher is sent, with the position at which it may come back as its id.

    Of those with the same `supersedes` the newest says all. `event_id` is None of what is no event of a run or target.
    """

    position: str
    order: tuple[int, int]
    event_id: EventId | None
    type: str
    supersedes: str | None
    text: bytes

    @property
    def is_final(self) -> bool:
        """Whether its run ends with it."""
        return self.type in FINAL

    @property
    def content(self) -> dict[str, Any]:
        """What it says."""
        return json.loads(self.text.partition(b"\ndata: ")[2])

    @property
    def text_without_position(self) -> bytes:
        """With an empty id, for a watcher that may not come back here: it makes it forget the last one."""
        return b"id: \n" + self.text.partition(b"\n")[2]

    def saying(self, content: dict[str, Any]) -> Message:
        """The same with another content."""
        return replace(self, text=message_text(self.type, self.position, content))


def of_event(entry: StreamedEvent) -> Message:
    """The message of something that happened."""
    event = entry.event
    moves_target = event.target_id is not None and event.type != "target.acted"
    return Message(
        position=entry.position,
        order=order_of(entry.position),
        event_id=event.id,
        type=event.type,
        supersedes=str(event.target_id) if moves_target else None,
        text=message_text(event.type, entry.position, told(event)),
    )


def told(event: Event) -> dict[str, Any]:
    """An event as JSON."""
    return {
        "id": str(event.id),
        "run_id": str(event.run_id),
        "target_id": str(event.target_id) if event.target_id else None,
        "type": event.type,
        "occurred_at": event.occurred_at.isoformat(),
        "payload": event.payload,
    }


def message_text(event: str, position: str | None, content: dict[str, Any]) -> bytes:
    """A message; without a position its id is empty."""
    return f"id: {position or ''}\nevent: {event}\ndata: {json.dumps(content, separators=(',', ':'))}\n\n".encode()
