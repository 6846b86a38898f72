"""The application: resources in its lifespan, routes, problems, and the headers that every answer has."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from fastapi import FastAPI, Request, Response

from shared.observability.traces import continued
from shared.settings import GatewaySettings

from . import (
    github_app,
    health,
    installations,
    operations,
    problems,
    reference,
    specs,
    token_records,
    token_scopes,
    tokens,
    webhooks,
)
from .auth import ensure_first_key
from .campaigns import routes as campaigns
from .policies import routes as policies
from .resources import open_resources
from .runs import routes as runs
from .selections import routes as selections
from .streams import routes as streams
from .targets import routes as targets
from .web import pages

MAX_BODY_BYTES = 26 * 1024 * 1024
"""GitHub's webhooks have at most 25 MB."""

MODULES = (
    campaigns,
    runs,
    targets,
    selections,
    operations,
    installations,
    github_app,
    tokens,
    token_scopes,
    token_records,
    policies,
    specs,
    streams,
    webhooks,
    health,
    pages,
)

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'",
}


def create_app(settings: GatewaySettings, *, tell: Callable[[str], None] = print) -> FastAPI:
    """The gateway; `tell` is given the line with the first API key, once."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with open_resources(settings) as resources:
            app.state.resources = resources
            if first_key := await ensure_first_key(resources):
                tell(f"The first API key, shown this once: {first_key}")
            yield

    app = FastAPI(
        title="Octobatch",
        version="1",
        summary="Run campaigns on GitHub",
        description="Every route but health, schemas and webhooks needs an API key. Errors are RFC 9457 problems.",
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
    )
    app.middleware("http")(_guard)
    app.middleware("http")(_trace)
    problems.install(app)
    for module in MODULES:
        app.include_router(module.router)
    pages.mount_assets(app)
    reference.install(app)
    return app


async def _trace(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
    with continued(request.headers):
        return await call_next(request)


async def _guard(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
    length = request.headers.get("content-length", "0")
    if request.method in {"POST", "PUT", "PATCH"} and (not length.isdigit() or int(length) > MAX_BODY_BYTES):
        return problems.problem(problems.TOO_LARGE, f"a body may have at most {MAX_BODY_BYTES} bytes")
    response = await call_next(request)
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    return response
