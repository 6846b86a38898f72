"""The ASGI app: REST, GraphQL, git, pages and the control API of one world, on one port.

| address | what |
| --- | --- |
| `/api/v3/…` | REST |
| `/api/graphql` | GraphQL |
| `/owner/name.git` | git over smart HTTP |
| `/owner/name/pull/N` | the page of a pull request |
| `/settings/apps/new`, `/apps/…` | the pages to register an App and to install it |
| `/_sandbox/…` | the control API (from this machine only) |
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route, Router
from starlette.types import ASGIApp, Receive, Scope, Send

from .answers import error_response, finish
from .app_pages import AppPages
from .control import routes as control_routes
from .git_http import GitHTTP
from .graphql_endpoint import GraphQLEndpoint
from .pages import PullRequestPages
from .rest import serving
from .world import World

_BY_ID = "/api/v3/repositories/"


def create_app(world: World) -> ASGIApp:
    """The app of a world, which it closes at the end."""

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        yield
        await world.close()

    async def nothing(_: Request) -> Response:
        return finish(world, error_response(404, "Not Found"))

    git, pages, apps = GitHTTP(world), PullRequestPages(world), AppPages(world)
    rest = Router([*serving.routes(world), Route("/{path:path}", nothing)], redirect_slashes=False)
    repository = "/{owner}/{name}"
    routes = [
        Route("/api/graphql", GraphQLEndpoint(world).answer, methods=["POST"]),
        Mount("/api/v3", rest),
        Mount("/_sandbox", routes=control_routes(world)),
        *[
            route
            for settings in ("/settings/apps", "/organizations/{org}/settings/apps")
            for route in (
                Route(f"{settings}/new", apps.new, methods=["GET", "POST"]),
                Route(settings, apps.create, methods=["POST"]),
            )
        ],
        Route("/apps/{slug}", apps.app),
        Route("/apps/{slug}/installations/new", apps.install, methods=["GET", "POST"]),
        Route(f"{repository}/info/refs", git.advertise),
        Route(f"{repository}/git-upload-pack", git.exchange, methods=["POST"]),
        Route(f"{repository}/git-receive-pack", git.exchange, methods=["POST"]),
        Route(f"{repository}/pull/{{number}}", pages.page),
        Route("/{path:path}", nothing),
    ]
    app = Starlette(routes=routes, lifespan=lifespan)
    app.router.redirect_slashes = False
    return _ById(world, app)


class _ById:
    """Addresses by a repository's id, to which those of renamed repositories redirect, mean those by its name now."""

    def __init__(self, world: World, app: ASGIApp) -> None:
        self._world = world
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Rewrites the path, and that of the API's root."""
        path: str = scope.get("path", "")
        if path == "/api/v3":
            scope = {**scope, "path": "/api/v3/"}
        elif path.startswith(_BY_ID):
            number, slash, below = path.removeprefix(_BY_ID).partition("/")
            try:
                repository = self._world.state.repositories.get(int(number))
            except (ValueError, KeyError):
                pass  # not found, as the router will say
            else:
                scope = {**scope, "path": f"/api/v3/repos/{repository.full_name}{slash}{below}"}
        await self._app(scope, receive, send)
