"""Who signed in, and what they may do."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from ..resources import Opened
from .kit import render

router = APIRouter(include_in_schema=False)


@router.get("/ui/me")
async def me_page(request: Request, resources: Opened) -> Response:
    """Who you are to this gateway."""
    return await render(request, resources, "me.html", room="")
