"""Query parameters that a route does not know are errors: a filter that was misspelt would show everything."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches

from fastapi import Request
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute

from shared.errors import InvalidInput, Problem


async def known_parameters(request: Request) -> None:
    """Raises `InvalidInput`, which names each parameter that the route does not have, and the nearest that it has."""
    if not request.query_params:
        return
    route: APIRoute = request.scope["route"]
    known = set(_parameters(route.dependant))
    unknown = [name for name in request.query_params if name not in known]
    if unknown:
        raise InvalidInput("the request is not valid", [_problem(name, known) for name in unknown])


def _parameters(dependant: Dependant) -> Iterator[str]:
    yield from (field.alias for field in dependant.query_params)
    for each in dependant.dependencies:
        yield from _parameters(each)


def _problem(name: str, known: set[str]) -> Problem:
    near = get_close_matches(name, known, n=1)
    if near:
        hint = f"did you mean {near[0]!r}?"
    else:
        hint = f"there are {', '.join(sorted(known))}" if known else "it takes none"
    return Problem(f"unknown parameter {name!r}", path=f"query.{name}", hint=hint)
