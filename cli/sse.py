"""Server-Sent Events, read from lines (https://html.spec.whatwg.org/multipage/server-sent-events.html)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True)
class ServerEvent:
    """One event: its name, its data as JSON, and the id to resume after."""

    name: str
    data: dict[str, Any]
    id: str | None = None


def read_events(lines: Iterable[str]) -> Iterator[ServerEvent]:
    """The events in the lines; comments (heartbeats) and events without data are left out."""
    name, data, event_id = "message", list[str](), None
    for line in lines:
        if not line:
            if data:
                yield ServerEvent(name=name, data=json.loads("\n".join(data)), id=event_id)
            name, data, event_id = "message", [], None
            continue
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if field == "event":
            name = value
        elif field == "data":
            data.append(value)
        elif field == "id" and "\0" not in value:
            event_id = value
