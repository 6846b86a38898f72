"""What all REST endpoints have in common, around the function of each."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any, cast

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from ..access import Viewer
from ..answers import (
    DOCUMENTATION,
    error_response,
    finish,
    json_response,
    limit_headers,
    limited_response,
    meet_faults,
    refused_response,
)
from ..authentication import authenticate, unauthorized
from ..errors import Refused
from ..limits import Limited
from ..world import World
from . import apps, checks, commits, contents, git_database, issues, meta, pulls, repositories, search
from .endpoint import Audience, Call, Endpoint, Moved, Reply, bad_request

ENDPOINTS = [
    *meta.ENDPOINTS,
    *apps.ENDPOINTS,
    *repositories.ENDPOINTS,
    *contents.ENDPOINTS,
    *git_database.ENDPOINTS,
    *checks.ENDPOINTS,  # before commits: theirs begin alike
    *commits.ENDPOINTS,
    *pulls.ENDPOINTS,
    *issues.ENDPOINTS,
    *search.ENDPOINTS,
]
_FREE = "/rate_limit"
"""What costs nothing to ask."""

_NO_JWT = "A JSON web token could not be decoded"


def routes(world: World) -> list[Route]:
    """A route for each path, whatever the method: an unknown one is a 404 with GitHub."""
    by_path: dict[str, dict[str, Endpoint]] = {}
    for endpoint in ENDPOINTS:
        by_path.setdefault(endpoint.path, {})[endpoint.method] = endpoint
    root = by_path["/repos/{owner}/{repo}/contents/{path:path}"]
    by_path["/repos/{owner}/{repo}/contents"] = {"GET": root["GET"]}  # the slash may be left out
    return [Route(path, _Serving(world, methods)) for path, methods in by_path.items()]


class _Serving:
    """The endpoints of one path, by method; GET answers HEAD too."""

    def __init__(self, world: World, methods: Mapping[str, Endpoint]) -> None:
        self._world = world
        self._methods = {"HEAD": methods["GET"], **methods} if "GET" in methods else methods

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        await (await self._serve(request))(scope, receive, send)

    async def _serve(self, request: Request) -> Response:
        world, endpoint = self._world, self._methods.get(request.method)
        if endpoint is None:
            return finish(world, error_response(404, "Not Found"))
        world.counters.add(f"rest {endpoint.method} {endpoint.path}")
        faults = world.faults.take("rest", request.method, request.url.path)
        response = await meet_faults(faults, "before") or await _answer(world, endpoint, request)
        return finish(world, await meet_faults(faults, "after") or response)


async def _answer(world: World, endpoint: Endpoint, request: Request) -> Response:
    asked = request.headers.get("x-github-api-version")
    if asked and world.api_versions and asked not in world.api_versions:
        return _wrong_version(world, asked)
    try:
        viewer = _viewer(world, endpoint, request)
    except Refused as refused:
        return refused_response(refused)
    writes = endpoint.method not in {"GET", "HEAD"}
    try:
        with world.limits.one_at_a_time(viewer):
            if endpoint.path != _FREE:
                world.limits.charge_rest(viewer, write=writes, creates=endpoint.creates, resource=endpoint.resource)
            call = await _call(world, viewer, request)
            response = _response(call, endpoint.handler(call), request)
    except Refused as refused:
        response = refused_response(refused)
    except Moved as moved:
        response = _moved(world, request, moved)
    except Limited as limited:
        return limited_response(world, viewer, limited)
    if response.status_code == 304:
        world.limits.refund_rest(viewer, endpoint.resource)
    if viewer.installation is not None:
        response.headers.update(limit_headers(world, viewer, endpoint.resource))
    return response


def _viewer(world: World, endpoint: Endpoint, request: Request) -> Viewer:
    """Who asks; raises `Refused` where the endpoint is for others."""
    header = request.headers.get("authorization")
    if endpoint.audience is Audience.ANYONE:
        if world.private_mode and endpoint.method == "GET":
            authenticate(world, header)
        return _nobody(world)
    viewer = authenticate(world, header)
    if endpoint.audience is Audience.APP and viewer.installation is not None:
        raise unauthorized(_NO_JWT)
    if endpoint.audience is Audience.INSTALLATION and viewer.installation is None:
        raise unauthorized("Bad credentials")
    return viewer


def _nobody(world: World) -> Viewer:
    app = world.state.apps.all()[0]
    return Viewer(
        app=app,
        account=world.state.accounts.get(app.bot_id),
        installation=None,
        permissions={},
        repository_ids=frozenset(),
        token="",
    )


async def _call(world: World, viewer: Viewer, request: Request) -> Call:
    content = await request.body()
    try:
        body: Any = json.loads(content) if content else {}
    except ValueError:
        raise bad_request("Problems parsing JSON") from None
    if isinstance(body, list):  # labels may be given as a bare array
        body = {"labels": cast("list[Any]", body)}
    if not isinstance(body, dict):
        raise bad_request("Body should be a JSON object")
    return Call(
        world=world,
        viewer=viewer,
        path=request.path_params,
        query=dict(request.query_params),
        url=f"{world.base_url}{request.url.path}",
        body=cast("dict[str, Any]", body),
        accept=request.headers.get("accept", ""),
    )


def _response(call: Call, reply: Reply, request: Request) -> Response:
    headers = dict(reply.headers)
    if call.link:
        headers["link"] = call.link
    if isinstance(reply.body, bytes):
        response = Response(reply.body, reply.status, headers)
    elif reply.body is None:
        response = Response(status_code=reply.status, headers=headers)
    else:
        response = json_response(reply.body, reply.status, headers)
    if request.method in {"GET", "HEAD"} and reply.status == 200:
        tag = f'W/"{hashlib.sha256(bytes(response.body)).hexdigest()}"'
        if tag in request.headers.get("if-none-match", ""):
            response = Response(status_code=304)
        response.headers["etag"] = tag
        response.headers["cache-control"] = "private, max-age=60, s-maxage=60"
        response.headers["vary"] = "Accept, Authorization, Cookie, X-GitHub-OTP"
    return response


def _wrong_version(world: World, asked: str) -> Response:
    """The answer to a request for a version of REST that is not spoken."""
    newest = world.api_versions[-1]
    spoken = ", ".join(f'"{each}"{" (most recent)" if each == newest else ""}' for each in world.api_versions)
    message = (
        f'The version you specified in the "X-GitHub-API-Version" request header, "{asked}", is not a supported'
        f" version. The following versions are currently supported: {spoken}."
    )
    return error_response(400, message)


def _moved(world: World, request: Request, moved: Moved) -> Response:
    """A 301 (307 keeps the method of a write) to the address by id, which never changes."""
    owner, name = request.path_params["owner"], request.path_params["repo"]
    below = request.url.path.partition(f"/repos/{owner}/{name}")[2]
    url = f"{world.api_url}/repositories/{moved.repository.id}{below}"
    if request.url.query:
        url += f"?{request.url.query}"
    status = 301 if request.method in {"GET", "HEAD"} else 307
    message = "Moved Permanently" if status == 301 else "Temporary Redirect"
    body = {"message": message, "url": url, "documentation_url": f"{DOCUMENTATION}/guides/best-practices"}
    return json_response(body, status, {"location": url})
