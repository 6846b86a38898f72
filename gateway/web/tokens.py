"""Tokens that live and who holds them, and the audit of all that were granted, refused and revoked."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from shared.clock import utcnow
from shared.domain.ids import InstallationId, RunId
from shared.domain.token import AuditKind, TokenAuditId, TokenSha256
from shared.postgres import installations, token_audit, tokens
from shared.postgres.pool import Connection
from shared.postgres.tokens import TokensChosen

from ..paging import Cursor, id_in, page, position_in
from ..resources import Opened
from ..token_records import ShownLiveToken, ShownTokenAudit
from .kit import PAGE, render

router = APIRouter(include_in_schema=False)

ROOM = "Tokens"

Installation = Annotated[Annotated[int, Field(ge=1, lt=2**63)] | Literal[""], Query(alias="installation_id")]
Hours = Annotated[int, Field(ge=1, le=24 * 366)] | Literal[""]


@router.get("/ui/tokens")
async def tokens_page(
    request: Request,
    resources: Opened,
    installation: Installation = "",
    run_id: UUID | Literal[""] = "",
    cursor: Cursor = None,
) -> Response:
    """The tokens that live, with who holds them."""
    after = position_in(cursor)
    chosen = TokensChosen(
        installation_id=InstallationId(installation) if installation else None,
        run_id=RunId(run_id) if run_id else None,
    )
    async with resources.pool.acquire() as conn:
        found = await tokens.live_tokens(conn, chosen, after=TokenSha256(after) if after else None, limit=PAGE + 1)
        accounts = await _accounts(conn)
    shown = page(found, limit=PAGE, position=lambda each: each.sha256, show=ShownLiveToken.model_validate)
    return await render(
        request,
        resources,
        "tokens.html",
        room=ROOM,
        tokens=shown.items,
        next_cursor=shown.next_cursor,
        accounts=accounts,
        installation=installation,
        run_id=run_id,
    )


@router.get("/ui/tokens/audit")
async def token_audit_page(
    request: Request,
    resources: Opened,
    kind: AuditKind | Literal[""] = "",
    installation: Installation = "",
    run_id: UUID | Literal[""] = "",
    requested_by: Annotated[str, Query(max_length=500)] = "",
    token_sha256: Annotated[str, Query(max_length=100)] = "",
    hours: Hours = "",
    cursor: Cursor = None,
) -> Response:
    """What was granted, refused and revoked, newest first."""
    before = id_in(cursor)
    async with resources.pool.acquire() as conn:
        found = await token_audit.page_audit(
            conn,
            kind=kind or None,
            installation_id=InstallationId(installation) if installation else None,
            run_id=RunId(run_id) if run_id else None,
            requested_by=requested_by or None,
            token_sha256=TokenSha256(token_sha256) if token_sha256 else None,
            since=utcnow() - timedelta(hours=hours) if hours else None,
            before=TokenAuditId(before) if before else None,
            limit=PAGE + 1,
        )
        accounts = await _accounts(conn)
    shown = page(found, limit=PAGE, position=lambda each: each.id, show=ShownTokenAudit.model_validate)
    return await render(
        request,
        resources,
        "token-audit.html",
        room=ROOM,
        entries=shown.items,
        next_cursor=shown.next_cursor,
        kinds=list(AuditKind),
        accounts=accounts,
        asked={
            "kind": kind,
            "installation_id": installation,
            "run_id": run_id,
            "requested_by": requested_by,
            "token_sha256": token_sha256,
            "hours": hours,
        },
    )


async def _accounts(conn: Connection) -> dict[int, str]:
    return {each.id: each.account for each in await installations.list_installations(conn)}
