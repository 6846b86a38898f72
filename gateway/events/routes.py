"""All runs as they go."""

from __future__ import annotations

from fastapi import APIRouter

from ..auth import SignedIn
from ..resources import Opened
from ..schemas import EVENT_STREAM
from .responses import EventStream, LastEventId
from .watching import Watcher

router = APIRouter(tags=["runs"])


@router.get("/events", response_class=EventStream, responses=EVENT_STREAM)
async def events(resources: Opened, _: SignedIn, last_event_id: LastEventId = None) -> EventStream:
    """All runs as Server-Sent Events: a `snapshot` of those that go on, then what each comes to, and its `progress`.

    `progress` is a run with its targets counted, at most once a second each. Honours `Last-Event-ID`.
    """
    return EventStream(Watcher(resources.hub, None, last_event_id=last_event_id))
