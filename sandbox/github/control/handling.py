"""What the endpoints of the control API have in common: a body checked by a model, errors, and who may ask."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ..answers import error_response, json_response, refused_response
from ..errors import Refused, not_found
from ..state import Account, Pull, Repository
from ..world import World

B = TypeVar("B", bound=BaseModel)


def route(world: World, method: str, path: str, body: type[B], handler: Callable[[World, Request, B], Any]) -> Route:
    """An endpoint whose body a model checks; the handler's answer is made JSON, None is a 204."""

    async def serve(request: Request) -> Response:
        if not _is_local(request):
            return error_response(403, "The control API answers this machine only")
        try:
            parsed = body.model_validate_json(await request.body() or b"{}")
            answer = handler(world, request, parsed)
        except ValidationError as error:
            return error_response(
                422, "Validation Failed", errors=error.errors(include_url=False, include_context=False)
            )
        except Refused as refused:
            return refused_response(refused)
        return Response(status_code=204) if answer is None else json_response(answer)

    return Route(path, serve, methods=[method])


class Nothing(BaseModel):
    """No body."""


def repository_of(world: World, request: Request) -> Repository:
    """The repository of the path."""
    found = world.state.repositories.by_name(request.path_params["owner"], request.path_params["name"])
    if found is None:
        raise not_found("There is no such repository")
    return found


def pull_of(world: World, request: Request) -> Pull:
    """The pull request of the path."""
    pull = world.state.pulls.by_number(repository_of(world, request).id, request.path_params["number"])
    if pull is None:
        raise not_found("There is no such pull request")
    return pull


def account_of(world: World, login: str) -> Account:
    """The account of that login."""
    account = world.state.accounts.by_login(login)
    if account is None:
        raise not_found(f"There is no account {login}")
    return account


def person(world: World, login: str) -> Account:
    """The person of that login, made if there is none."""
    return world.state.accounts.ensure(login, "User", now=world.clock.stamp())


def _is_local(request: Request) -> bool:
    host = request.client.host if request.client else ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
