"""A selection as Server-Sent Events: what it is now, then again whenever that has changed, until it is finished.

Every event is the whole selection, read from its row. So a watcher that comes back has missed nothing that matters,
and with its `Last-Event-ID` is told nothing twice.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import time
from collections.abc import AsyncIterator
from contextlib import suppress

from shared.domain.ids import SelectionId
from shared.domain.selection import SelectionState
from shared.postgres import selections

from ..events.hub import HEARTBEAT_SECONDS
from ..resources import Resources
from .schemas import ShownSelection

READ_SECONDS = 0.5

_FINAL = (SelectionState.COMPLETE, SelectionState.FAILED, SelectionState.CANCELLED)


async def watch_selection(
    resources: Resources, selection_id: SelectionId, *, last_event_id: str | None
) -> AsyncIterator[str]:
    """The event stream of one watcher; ends with the selection, or when the gateway is stopped."""
    position, name, heard_at = last_event_id, "snapshot", time.monotonic()
    while not resources.stopping.is_set():
        async with resources.pool.acquire() as conn:
            shown = ShownSelection.model_validate(await selections.get_progress(conn, selection_id))
        content = json.dumps({"selection": shown.model_dump(mode="json")}, separators=(",", ":"))
        digest = hashlib.sha256(content.encode()).hexdigest()[:16]
        if digest != position:
            position, heard_at = digest, time.monotonic()
            yield f"id: {digest}\nevent: {name}\ndata: {content}\n\n"
            name = "progress"
        if shown.state in _FINAL:
            break
        if time.monotonic() - heard_at > HEARTBEAT_SECONDS:
            heard_at = time.monotonic()
            yield ": still here\n\n"
        with suppress(TimeoutError):
            await asyncio.wait_for(resources.stopping.wait(), READ_SECONDS)
    yield "event: end\ndata: {}\n\n"
