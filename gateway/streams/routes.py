"""Operating the command streams: how deep they are and what stands on them; replay, requeue, purge, trim."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from shared.domain.ids import OperationId, RunId
from shared.domain.operation import Service
from shared.domain.replay import Wanted
from shared.errors import InvalidInput
from shared.streams.entry_ids import parse_stream_id
from shared.streams.inspection import DeadLetter, Inspection

from ..auth import SignedIn
from ..paging import Cursor, Limit, Page, made_up_cursor, page, position_in
from ..resources import Opened, Resources
from . import acting
from .acting import redis_as_unavailable
from .replaying import EntryRange
from .replaying import replay as replay_operations
from .schemas import (
    ActOutcome,
    NewPurge,
    NewReplay,
    NewRequeue,
    NewTrim,
    ReplayOutcome,
    ShownDeadLetter,
    ShownEntry,
    ShownPending,
    ShownStream,
    StreamDetails,
    StreamId,
    TrimOutcome,
)
from .showing import show_dead_letter, show_details, show_entry, show_pending, show_stream

router = APIRouter(tags=["streams"])

Payload = Annotated[bool, Query(description="show payloads, secrets taken out")]


@router.get("/streams")
async def list_streams(resources: Opened, _: SignedIn) -> Page[ShownStream]:
    """Every service's commands at a glance."""
    inspection = Inspection(resources.redis)
    with redis_as_unavailable():
        surveys = [await inspection.survey(service) for service in Service]
    return Page(items=[show_stream(survey) for survey in surveys], next_cursor=None)


@router.get("/streams/{service}")
async def get_stream(service: Service, resources: Opened, _: SignedIn) -> StreamDetails:
    """A command stream, its groups and their consumers."""
    inspection = Inspection(resources.redis)
    with redis_as_unavailable():
        return show_details(await inspection.survey(service), await inspection.inspect(service))


@router.get("/streams/{service}/entries")
async def list_entries(
    service: Service,
    resources: Opened,
    _: SignedIn,
    after: Annotated[StreamId | None, Query(description="only what came after this entry")] = None,
    latest: Annotated[bool, Query(description="the last ones; without, the first ones")] = False,
    payload: Payload = False,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Page[ShownEntry]:
    """Entries of the stream in their order: commands that workers were given or may take, finished ones too.

    To follow it, ask again `after` the last entry.
    """
    inspection, start = Inspection(resources.redis), _entry_in(cursor) or after
    with redis_as_unavailable():
        if latest and not start:
            found = await inspection.latest(service, limit=limit)
        else:
            first = f"({parse_stream_id(start, field='after')}" if start else "-"
            found = await inspection.entries(service, first=first, limit=limit + 1)
    return page(found, limit=limit, position=lambda each: each.id, show=lambda each: show_entry(each, payload=payload))


@router.get("/streams/{service}/pending")
async def list_pending(
    service: Service,
    resources: Opened,
    _: SignedIn,
    payload: Payload = False,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Page[ShownPending]:
    """Entries that workers hold, oldest first."""
    with redis_as_unavailable():
        found = await Inspection(resources.redis).pending(service, after=_entry_in(cursor), limit=limit + 1)
    return page(
        found, limit=limit, position=lambda each: each.id, show=lambda each: show_pending(each, payload=payload)
    )


@router.get("/streams/{service}/dead-letters")
async def list_dead_letters(
    service: Service,
    resources: Opened,
    _: SignedIn,
    type: Annotated[str | None, Query(description="of this command")] = None,  # noqa: A002
    run_id: UUID | None = None,
    operation_id: UUID | None = None,
    payload: Payload = False,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Page[ShownDeadLetter]:
    """Commands that were given up, oldest first."""
    wanted = Wanted(
        type=type,
        run_id=RunId(run_id) if run_id else None,
        operation_id=OperationId(operation_id) if operation_id else None,
    )
    with redis_as_unavailable():
        found = await _dead_letters(resources, service, wanted, after=_entry_in(cursor), limit=limit + 1)
    return page(
        found,
        limit=limit,
        position=lambda each: each.entry.id,
        show=lambda each: show_dead_letter(each, payload=payload),
    )


async def _dead_letters(
    resources: Resources, service: Service, wanted: Wanted, *, after: str | None, limit: int
) -> list[DeadLetter]:
    inspection, found = Inspection(resources.redis), list[DeadLetter]()
    while letters := await inspection.dead_letters(service, after=after, limit=500):
        found += [letter for letter in letters if acting.is_meant(letter, wanted)]
        after = letters[-1].entry.id
        if len(found) >= limit:
            break
    return found[:limit]


@router.post("/streams/{service}/replay")
async def replay(service: Service, body: NewReplay, resources: Opened, principal: SignedIn) -> ReplayOutcome:
    """Append again what Redis lost; with `force_new`, accept what is finished anew."""
    entries = EntryRange(first=body.first_entry, last=body.last_entry)
    replayed = await replay_operations(
        resources,
        service=service,
        wanted=body.wanted(),
        entries=entries if entries != EntryRange() else None,
        replay_id=body.replay_id,
        dry_run=body.dry_run,
        actor=principal.actor,
    )
    return ReplayOutcome.model_validate(replayed)


@router.post("/streams/{service}/requeue")
async def requeue(service: Service, body: NewRequeue, resources: Opened, principal: SignedIn) -> ActOutcome:
    """Try dead letters again: their operations are accepted again, with no attempt spent."""
    changed = await acting.requeue(
        resources,
        service=service,
        wanted=body.wanted(),
        entry_id=parse_stream_id(body.entry_id, field="entry_id") if body.entry_id else None,
        dry_run=body.dry_run,
        actor=principal.actor,
    )
    return ActOutcome.model_validate(changed)


@router.post("/streams/{service}/purge")
async def purge(service: Service, body: NewPurge, resources: Opened, principal: SignedIn) -> ActOutcome:
    """Cancel commands that no worker was given yet, or dead letters."""
    purge_these = acting.purge_dead_letters if body.dead_letters else acting.purge_undelivered
    changed = await purge_these(
        resources, service=service, wanted=body.wanted(), dry_run=body.dry_run, actor=principal.actor
    )
    return ActOutcome.model_validate(changed)


@router.post("/streams/{service}/trim")
async def trim(service: Service, body: NewTrim, resources: Opened, principal: SignedIn) -> TrimOutcome:
    """Drop finished entries. What a group has not acknowledged is kept, whatever was asked for."""
    trimmed = await acting.trim(
        resources,
        service=service,
        before_entry=body.before_entry,
        older_than_seconds=body.older_than_seconds,
        actor=principal.actor,
    )
    return TrimOutcome.model_validate(trimmed)


def _entry_in(cursor: str | None) -> str | None:
    position = position_in(cursor)
    try:
        return parse_stream_id(position) if position else None
    except InvalidInput:
        raise made_up_cursor() from None
