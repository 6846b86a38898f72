"""The audit over HTTP: what was written and by whom, and what operators did."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import Field

from shared.domain.audit import AuditAction, AuditId, AuditPart
from shared.domain.operation import Service
from shared.postgres.audit import page_acts

from ..auth import SignedIn
from ..paging import Cursor, Limit, Page, id_in, page
from ..resources import Opened
from ..schemas import Moment, Shown

router = APIRouter(tags=["access"])


class ShownAct(Shown):
    """A write that the gateway was asked for, or an act of an operator."""

    id: UUID
    at: datetime
    actor: str = Field(description="as `key:ci`")
    action: AuditAction = Field(description="`write`, or an operator's act")
    service: Service | None = Field(description="whose stream an act was done to")
    details: dict[str, Any] = Field(description="of an act: what was `wanted`, and what was `changed`")
    address: str | None = Field(description="of a write, as the following: where it came from")
    method: str | None
    route: str | None = Field(description="the template of its path")
    resource: str | None = Field(description="what it was about, as `campaigns/rename-ci`")
    status: int | None = Field(description="of the answer")
    request_id: str | None = Field(description="`X-Request-Id` of the answer, and `request_id` in the log")


@router.get("/audit")
async def list_acts(
    resources: Opened,
    _: SignedIn,
    part: Annotated[AuditPart | None, Query(description="writes, or operators' acts; else both")] = None,
    service: Annotated[Service | None, Query(description="acts on its stream")] = None,
    actor: Annotated[str | None, Query(max_length=500, description="as `key:ci`")] = None,
    resource: Annotated[
        str | None, Query(max_length=300, description="as `campaigns/rename-ci`; `campaigns` is each of them")
    ] = None,
    address: Annotated[str | None, Query(max_length=100, description="where a write came from")] = None,
    since: Moment | None = None,
    until: Annotated[Moment | None, Query(description="before that time")] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Page[ShownAct]:
    """Who wrote what, from where and with which result, and what operators did; newest first."""
    before = id_in(cursor)
    async with resources.pool.acquire() as conn:
        acts = await page_acts(
            conn,
            part=part,
            service=service,
            actor=actor,
            resource=resource,
            address=address,
            since=since,
            until=until,
            before=AuditId(before) if before else None,
            limit=limit + 1,
        )
    return page(acts, limit=limit, position=lambda each: each.id, show=ShownAct.model_validate)
