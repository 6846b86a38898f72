"""Signing in to the pages, and out."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Query, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from shared.auth.api_keys import prefix_of
from shared.errors import NotAuthenticated

from ..auth import authenticate
from ..resources import Opened, Resources
from ..sessions import close_session, open_session
from .kit import templates

router = APIRouter(include_in_schema=False)

Next = Annotated[str, Query(alias="next", max_length=2000, pattern=r"^/([^/\\\x00-\x1f][^\\\x00-\x1f]*)?$")]
"""The page to go on to: one of ours, never an address elsewhere."""


def ask(
    request: Request, resources: Resources, next_page: str, *, error: str | None = None, status: int = 200
) -> HTMLResponse:
    """The page that asks for an API key, or to sign in at the provider where there is one."""
    provider = resources.settings.oidc_sign_in_name if resources.sign_in else None
    context = {"error": error, "next": next_page, "provider": provider}
    return templates.TemplateResponse(request, "sign-in.html", context, status_code=status)


@router.get("/ui/sign-in")
async def sign_in_page(request: Request, resources: Opened, next_page: Next = "/") -> HTMLResponse:
    """Asks who somebody is."""
    return ask(request, resources, next_page)


@router.post("/ui/sign-in")
async def sign_in(
    request: Request, resources: Opened, key: Annotated[str, Form(max_length=200)], next_page: Next = "/"
) -> Response:
    """Opens a session for the holder of an API key, and goes on to the page that was asked for."""
    try:
        async with resources.pool.acquire() as conn:
            pepper = resources.settings.api_key_pepper.get_secret_value()
            principal = await authenticate(conn, key.strip(), pepper=pepper)
    except NotAuthenticated as error:
        return ask(request, resources, next_page, error=str(error), status=401)
    request.state.principal = principal  # the audit has who signed in
    response = RedirectResponse(next_page, 303)
    await open_session(resources, request, response, principal, key_prefix=prefix_of(key.strip()) or "")
    return response


@router.post("/ui/sign-out")
async def sign_out(request: Request, resources: Opened) -> Response:
    """Ends the session."""
    response = RedirectResponse("/ui/sign-in", 303)
    await close_session(resources, request, response)
    return response
