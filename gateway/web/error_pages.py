"""Problems as pages, for somebody who looks at a page with a browser. Whoever else asks is given the problem itself."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from shared.errors import OctobatchError

from .kit import ROOMS, templates, wants_part

PLACES = ("/ui", "/docs", "/problems")
"""Where pages are, beside `/`."""

Handler = Callable[[Request, Exception], Awaitable[Response]]


def install(app: FastAPI) -> None:
    """Shows every problem of a page as a page."""
    for error in (OctobatchError, RequestValidationError, HTTPException, Exception):
        app.add_exception_handler(error, _as_page(app.exception_handlers[error]))


def _as_page(handler: Any) -> Handler:
    async def answer(request: Request, error: Exception) -> Response:
        response: Response = await handler(request, error)
        if not isinstance(response, JSONResponse) or not _is_looked_at(request):
            return response
        problem = json.loads(bytes(response.body))
        context = {"problem": problem, "rooms": ROOMS}
        page = templates.TemplateResponse(request, "error.html", context, status_code=response.status_code)
        page.headers.update({name: value for name, value in response.headers.items() if name == "retry-after"})
        return page

    return answer


def _is_looked_at(request: Request) -> bool:
    path = request.url.path
    is_page = path == "/" or path.startswith(PLACES)
    return is_page and "text/html" in request.headers.get("accept", "") and not wants_part(request)
