"""The audit: who wrote what and from where, and what operators did, newest first."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request, Response

from shared.clock import utcnow
from shared.domain.audit import AuditId, AuditPart
from shared.domain.operation import Service
from shared.postgres.audit import page_acts

from ..access.audit_log import ShownAct
from ..paging import Cursor, id_in, page
from ..resources import Opened
from .kit import PAGE, render

router = APIRouter(include_in_schema=False)


@router.get("/ui/audit")
async def audit_page(
    request: Request,
    resources: Opened,
    part: AuditPart | Literal[""] = "",
    service: Service | Literal[""] = "",
    actor: Annotated[str, Query(max_length=500)] = "",
    resource: Annotated[str, Query(max_length=300)] = "",
    address: Annotated[str, Query(max_length=100)] = "",
    hours: Annotated[Literal["", "1", "24", "168", "720"], Query()] = "",
    cursor: Cursor = None,
) -> Response:
    """What was written and done, narrowed as asked."""
    before = id_in(cursor)
    async with resources.pool.acquire() as conn:
        found = await page_acts(
            conn,
            part=part or None,
            service=service or None,
            actor=actor.strip() or None,
            resource=resource.strip().strip("/") or None,
            address=address.strip() or None,
            since=utcnow() - timedelta(hours=int(hours)) if hours else None,
            before=AuditId(before) if before else None,
            limit=PAGE + 1,
        )
    shown = page(found, limit=PAGE, position=lambda each: each.id, show=ShownAct.model_validate)
    return await render(
        request,
        resources,
        "audit.html",
        room="Audit",
        acts=shown.items,
        next_cursor=shown.next_cursor,
        parts=list(AuditPart),
        services=list(Service),
        asked={
            "part": part,
            "service": service,
            "actor": actor,
            "resource": resource,
            "address": address,
            "hours": hours,
        },
    )
