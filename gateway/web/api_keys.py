"""API keys: who has which, what they may do, and when they were last used."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from shared.clock import utcnow
from shared.domain.roles import KeyScope, Role
from shared.postgres import api_keys

from ..api_keys.schemas import ShownApiKey
from ..paging import Cursor, id_in, page
from ..resources import Opened
from .kit import PAGE, render

router = APIRouter(include_in_schema=False)


@router.get("/ui/api-keys")
async def api_keys_page(request: Request, resources: Opened, cursor: Cursor = None) -> Response:
    """Keys, newest first; those that have ended too."""
    async with resources.pool.acquire() as conn:
        found = await api_keys.page_api_keys(conn, before=id_in(cursor), limit=PAGE + 1)
    shown = page(found, limit=PAGE, position=lambda each: each.id, show=ShownApiKey.model_validate)
    return await render(
        request,
        resources,
        "api-keys.html",
        room="API keys",
        keys=shown.items,
        next_cursor=shown.next_cursor,
        told=_told,
        roles=list(Role),
        scopes=list(KeyScope),
    )


def _told(key: ShownApiKey) -> tuple[str, str]:
    """How a key is, in a word, and as which state it is coloured."""
    if key.revoked_at:
        return "revoked", "failed"
    return ("expired", "paused") if key.expires_at and key.expires_at <= utcnow() else ("valid", "active")
