"""Command streams for operators: how deep they are, what stands on them, and what can be done about it."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Any

from fastapi import APIRouter, Request, Response

from shared.domain.audit import AuditAction, AuditPart
from shared.domain.operation import Service
from shared.postgres.audit import page_acts
from shared.streams.entry_ids import parse_stream_id
from shared.streams.inspection import Inspection

from ..paging import Cursor, page, position_in
from ..resources import Opened, Resources
from ..streams.acting import redis_as_unavailable
from ..streams.schemas import ShownDeadLetter, ShownEntry, ShownPending, ShownStream
from ..streams.showing import show_dead_letter, show_details, show_entry, show_pending, show_stream
from .kit import render

router = APIRouter(include_in_schema=False)

ROOM = "Streams"

ENTRIES = 50
"""Entries on one page."""

LATEST_ACTS = 20

PERFORMED_ON_STREAMS = (AuditAction.REPLAY, AuditAction.REQUEUE, AuditAction.PURGE, AuditAction.TRIM)

OLD_SECONDS = 60.0
"""A command that waits longer for its first worker means that workers do not keep up."""


class Shown(StrEnum):
    """What of a stream a page shows."""

    DEAD_LETTERS = "dead-letters"
    PENDING = "pending"
    ENTRIES = "entries"
    CONSUMERS = "workers"


@router.get("/ui/streams")
async def streams_page(request: Request, resources: Opened) -> Response:
    """Every service at a glance, and what operators did last."""
    inspection = Inspection(resources.redis)
    with redis_as_unavailable():
        streams = [show_stream(await inspection.survey(service)) for service in Service]
    async with resources.pool.acquire() as conn:
        acts = await page_acts(conn, part=AuditPart.ACTS, limit=LATEST_ACTS * 2)
    performed = [each for each in acts if each.action in PERFORMED_ON_STREAMS][:LATEST_ACTS]
    return await render(request, resources, "streams.html", room=ROOM, streams=streams, told=_told, acts=performed)


@router.get("/ui/streams/{service}")
async def stream_page(
    request: Request,
    service: Service,
    resources: Opened,
    show: Shown = Shown.DEAD_LETTERS,
    cursor: Cursor = None,
) -> Response:
    """One service: its dead letters, what its workers hold, what stands on its stream, and its workers."""
    position = position_in(cursor)
    after = parse_stream_id(position) if position else None
    inspection = Inspection(resources.redis)
    with redis_as_unavailable():
        stream = show_details(await inspection.survey(service), await inspection.inspect(service))
        rows = await _rows(resources, service, show, after)
    shown = page(rows, limit=ENTRIES, position=lambda each: each.id, show=lambda each: each)
    return await render(
        request,
        resources,
        "stream.html",
        room=ROOM,
        stream=stream,
        told=_told,
        show=show.value,
        rows=shown.items,
        next_cursor=shown.next_cursor,
        by_type=_by_type(shown.items) if show is Shown.DEAD_LETTERS else [],
    )


async def _rows(
    resources: Resources, service: Service, show: Shown, after: str | None
) -> Sequence[ShownDeadLetter | ShownPending | ShownEntry]:
    inspection = Inspection(resources.redis)
    match show:
        case Shown.DEAD_LETTERS:
            letters = await inspection.dead_letters(service, after=after, limit=ENTRIES + 1)
            return [show_dead_letter(each, payload=True) for each in letters]
        case Shown.PENDING:
            held = await inspection.pending(service, after=after, limit=ENTRIES + 1)
            return [show_pending(each, payload=True) for each in held]
        case Shown.ENTRIES if after:
            found = await inspection.entries(service, first=f"({after}", limit=ENTRIES + 1)
            return [show_entry(each, payload=True) for each in found]
        case Shown.ENTRIES:
            found = await inspection.latest(service, limit=ENTRIES)
            return [show_entry(each, payload=True) for each in found]
        case Shown.CONSUMERS:
            return []


def _by_type(letters: Sequence[Any]) -> list[str]:
    """The commands that there are dead letters of."""
    return sorted({letter.type for letter in letters if letter.type})


def _told(stream: ShownStream) -> tuple[str, str]:
    """How a service is, in a word, and as which state it is coloured."""
    if stream.dead_letters:
        return f"{stream.dead_letters:,} given up", "failed"
    if not stream.consumers:
        return "no worker", "failed"
    if stream.undelivered and stream.oldest_age_seconds > OLD_SECONDS:
        return "behind", "paused"
    return ("busy", "running") if stream.undelivered + stream.pending else ("idle", "active")
