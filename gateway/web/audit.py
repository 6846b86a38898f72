"""The audit: who did what by hand, newest first."""

from __future__ import annotations

from typing import Literal

from fastapi import APIRouter, Request, Response

from shared.domain.audit import AuditId
from shared.domain.operation import Service
from shared.postgres.audit import page_acts

from ..paging import Cursor, id_in, page
from ..resources import Opened
from ..streams.schemas import ShownAct
from .kit import PAGE, render

router = APIRouter(include_in_schema=False)


@router.get("/ui/audit")
async def audit_page(
    request: Request, resources: Opened, service: Service | Literal[""] = "", cursor: Cursor = None
) -> Response:
    """What was done to streams, policies and webhooks."""
    before = id_in(cursor)
    async with resources.pool.acquire() as conn:
        found = await page_acts(
            conn, service=service or None, before=AuditId(before) if before else None, limit=PAGE + 1
        )
    shown = page(found, limit=PAGE, position=lambda each: each.id, show=ShownAct.model_validate)
    return await render(
        request,
        resources,
        "audit.html",
        room="Audit",
        acts=shown.items,
        next_cursor=shown.next_cursor,
        services=list(Service),
        service=service,
    )
