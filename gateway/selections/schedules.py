"""Schedules: selections that are made again and again, and can be compared with the ones before."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Response, status
from pydantic import Field

from shared.clock import utcnow
from shared.domain.roles import Role
from shared.domain.selection_schedule import next_time
from shared.domain.spec import parse_spec
from shared.postgres import selection_schedules

from ..auth import SignedIn
from ..paging import Cursor, Limit, Page, page, position_in
from ..resources import Opened
from ..schemas import Shown, SpecDocument
from ..versions import V1

router = APIRouter(prefix="/selection-schedules", tags=["selections"])

_NAME = r"^[a-z0-9]([a-z0-9-]*[a-z0-9])?$"
Name = Annotated[str, Path(max_length=100)]


class NewSchedule(SpecDocument):
    """A spec to select by at the times of a cron string."""

    name: str = Field(pattern=_NAME, max_length=100, description="unique: lower-case letters, digits and hyphens")
    cron: str = Field(
        max_length=100,
        description="minute, hour, day of month, month and day of week, in UTC",
        examples=["0 6 * * MON-FRI"],
    )
    fresh: bool = Field(False, description="ask GitHub for everything each time")


class ShownSchedule(Shown):
    """A schedule, and when it is due next."""

    id: UUID
    name: str
    namespace: str = Field(description="that of its spec: who may see and change it")
    document: str
    cron: str
    is_fresh: bool
    next_at: datetime
    paused_at: datetime | None = Field(description="since when nothing is made; null where it goes on")
    last_selection_id: UUID | None = Field(description="the newest selection that it made")
    created_by: str
    created_at: datetime


@router.post("", status_code=201)
async def create_schedule(
    body: NewSchedule, response: Response, resources: Opened, principal: SignedIn
) -> ShownSchedule:
    """Make a selection at each time of a cron string."""
    spec = parse_spec(body.document)
    next_at = next_time(body.cron, after=utcnow())
    async with resources.pool.acquire() as conn, conn.transaction():
        schedule = await selection_schedules.insert_schedule(
            conn,
            name=body.name,
            namespace=spec.namespace,
            document=body.document,
            cron=body.cron,
            is_fresh=body.fresh,
            next_at=next_at,
            created_by=principal.actor,
        )
    response.headers["Location"] = f"{V1}/selection-schedules/{schedule.name}"
    return ShownSchedule.model_validate(schedule)


@router.get("")
async def list_schedules(
    resources: Opened, principal: SignedIn, limit: Limit = 50, cursor: Cursor = None
) -> Page[ShownSchedule]:
    """Schedules in the order of their names."""
    async with resources.pool.acquire() as conn:
        rows = await selection_schedules.page_schedules(
            conn, namespaces=principal.namespaces(Role.VIEWER), after=position_in(cursor) or "", limit=limit + 1
        )
    return page(rows, limit=limit, position=lambda each: each.name, show=ShownSchedule.model_validate)


@router.get("/{name}")
async def get_schedule(name: Name, resources: Opened, _: SignedIn) -> ShownSchedule:
    """One schedule."""
    async with resources.pool.acquire() as conn:
        return ShownSchedule.model_validate(await selection_schedules.get_schedule(conn, name))


@router.post("/{name}/pause")
async def pause_schedule(name: Name, resources: Opened, _: SignedIn) -> ShownSchedule:
    """Have nothing made until it is resumed."""
    async with resources.pool.acquire() as conn, conn.transaction():
        return ShownSchedule.model_validate(await selection_schedules.pause_schedule(conn, name))


@router.post("/{name}/resume")
async def resume_schedule(name: Name, resources: Opened, _: SignedIn) -> ShownSchedule:
    """Go on; the times that passed meanwhile are not made up for."""
    async with resources.pool.acquire() as conn, conn.transaction():
        schedule = await selection_schedules.get_schedule(conn, name)
        next_at = next_time(schedule.cron, after=utcnow())
        return ShownSchedule.model_validate(await selection_schedules.resume_schedule(conn, name, next_at=next_at))


@router.delete("/{name}", status_code=status.HTTP_204_NO_CONTENT)
async def delete_schedule(name: Name, resources: Opened, _: SignedIn) -> Response:
    """Delete a schedule; the selections that it made stay."""
    async with resources.pool.acquire() as conn, conn.transaction():
        await selection_schedules.delete_schedule(conn, name)
    return Response(status_code=status.HTTP_204_NO_CONTENT)
