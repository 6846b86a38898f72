"""What each kind of problem means: the address in its `type`. Nobody has to sign in to read it."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from shared.errors import NotFound

from ..problems import ALL_KINDS, title_of
from .kit import ROOMS, templates

router = APIRouter(prefix="/problems", include_in_schema=False)

_BY_NAME = {kind.name: kind for kind in ALL_KINDS}


@router.get("")
async def problems_page(request: Request) -> Response:
    """All kinds of problems."""
    return _rendered(request, sorted(_BY_NAME.values(), key=lambda kind: (kind.status, kind.name)), title="Problems")


@router.get("/{name}")
async def problem_page(name: str, request: Request) -> Response:
    """One kind of problem."""
    kind = _BY_NAME.get(name)
    if kind is None:
        raise NotFound("kind of problem", name)
    return _rendered(request, [kind], title=title_of(kind))


def _rendered(request: Request, kinds: object, *, title: str) -> Response:
    context = {"kinds": kinds, "title": title, "title_of": title_of, "rooms": ROOMS}
    return templates.TemplateResponse(request, "problems.html", context)
