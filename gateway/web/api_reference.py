"""The API's reference, made of its OpenAPI description."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from .kit import ROOMS, templates

router = APIRouter(include_in_schema=False)


@router.get("/docs")
async def docs_page(request: Request) -> Response:
    """Every route of the API; nobody has to sign in to read it."""
    context = {"api": request.app.openapi(), "rooms": ROOMS}
    return templates.TemplateResponse(request, "docs.html", context)
