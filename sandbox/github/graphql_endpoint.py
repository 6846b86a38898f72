"""POST /api/graphql: authentication, faults and limits around `sandbox.github.graphql.execute`."""

from __future__ import annotations

import json
import re
from typing import Any, cast

from starlette.requests import Request
from starlette.responses import Response

from . import graphql
from .access import Viewer
from .answers import (
    error_response,
    finish,
    json_response,
    limit_headers,
    limited_response,
    meet_faults,
    refused_response,
)
from .authentication import authenticate, unauthorized
from .errors import Refused
from .limits import Limited
from .world import World

_PAGE = re.compile(r"\b(?:first|last)\s*:\s*(\d+)")
_SEARCH = re.compile(r"\bsearch\s*\(")


class GraphQLEndpoint:
    """Answers GraphQL requests of installations."""

    def __init__(self, world: World) -> None:
        self._world = world

    async def answer(self, request: Request) -> Response:
        """One request: faults are matched with the text of the document."""
        world = self._world
        content = await request.body()
        try:
            parsed = json.loads(content)
        except ValueError:
            parsed = None
        body = cast("dict[str, Any]", parsed) if isinstance(parsed, dict) else {}
        world.counters.add("graphql")
        faults = world.faults.take("graphql", request.method, str(body.get("query", "")), size=_size(body))
        response = await meet_faults(faults, "before") or await self._answer(request, body)
        return finish(world, await meet_faults(faults, "after") or response)

    async def _answer(self, request: Request, body: dict[str, Any]) -> Response:
        world = self._world
        try:
            viewer = authenticate(world, request.headers.get("authorization"))
            if viewer.installation is None:
                raise unauthorized("Bad credentials")
        except Refused as refused:
            return refused_response(refused)
        if not isinstance(body.get("query"), str):
            return error_response(400, "Problems parsing JSON")
        try:
            with world.limits.one_at_a_time(viewer):
                answer = await graphql.execute(
                    world,
                    viewer,
                    query=body["query"],
                    variables=body.get("variables") or {},
                    operation_name=body.get("operationName"),
                )
        except Limited as limited:
            return self._limited(viewer, limited)
        return json_response(answer, headers=limit_headers(world, viewer, "graphql"))

    def _limited(self, viewer: Viewer, limited: Limited) -> Response:
        """Over the primary limit GraphQL answers 200 with an error of type `RATE_LIMITED`."""
        if not limited.primary:
            return limited_response(self._world, viewer, limited)
        self._world.counters.add("limited")
        installation = viewer.installation.id if viewer.installation else 0
        message = f"API rate limit exceeded for installation ID {installation}."
        headers = limit_headers(self._world, viewer, "graphql") | {"x-ratelimit-remaining": "0"}
        return json_response({"errors": [{"type": "RATE_LIMITED", "message": message}]}, headers=headers)


def _size(body: dict[str, Any]) -> int:
    """The largest page, or the most ids or searches, that a request asks for at once."""
    query, variables = str(body.get("query", "")), cast("dict[str, Any]", body.get("variables") or {})
    pages = [int(size) for size in _PAGE.findall(query)]
    given = [value for name, value in variables.items() if name in {"first", "last"} and isinstance(value, int)]
    lists = [len(cast("list[Any]", value)) for value in variables.values() if isinstance(value, list)]
    return max([0, *pages, *given, *lists, len(_SEARCH.findall(query))])
