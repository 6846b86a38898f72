"""Answers that REST, GraphQL and git have in common: headers, errors, limits, faults."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from email.utils import formatdate
from typing import Any
from uuid import uuid4

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from .access import Viewer
from .errors import Reason, Refused
from .faults import Fault
from .limits import Limited
from .world import ENTERPRISE_VERSION, World

DOCUMENTATION = "https://docs.github.com/rest"
LIMITS_DOCUMENTATION = f"{DOCUMENTATION}/using-the-rest-api/rate-limits-for-the-rest-api"
SECONDARY_MESSAGE = (
    "You have exceeded a secondary rate limit. Please wait a few minutes before you try again. If you reach out to"
    " GitHub Support for help, please include the request ID {request_id}."
)
_TIMEOUT_MESSAGE = (
    "Something went wrong while executing your query. This may be the result of a timeout, or it could be a GitHub bug."
    " Please include `{request_id}` when reporting this issue."
)
_STATUSES = {
    Reason.BAD_REQUEST: 400,
    Reason.UNAUTHORIZED: 401,
    Reason.FORBIDDEN: 403,
    Reason.NOT_FOUND: 404,
    Reason.NOT_MERGEABLE: 405,
    Reason.CONFLICT: 409,
    Reason.STALE_DATA: 409,
    Reason.UNPROCESSABLE: 422,
}
_GATEWAY_MESSAGES = {500: "Server Error", 502: "Server Error", 503: "Service Unavailable", 504: "Gateway Timeout"}


def json_response(body: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """An answer in JSON."""
    content = json.dumps(body, separators=(",", ":"), ensure_ascii=False).encode()
    return Response(content, status, dict(headers or {}), "application/json; charset=utf-8")


def error_response(
    status: int, message: str, *, errors: list[Any] | None = None, headers: Mapping[str, str] | None = None, **more: Any
) -> Response:
    """An error as GitHub words it."""
    body: dict[str, Any] = {"message": message}
    if errors is not None:
        body["errors"] = errors
    body |= {"documentation_url": DOCUMENTATION, "status": str(status)} | more
    return json_response(body, status, headers)


def refused_response(refused: Refused) -> Response:
    """The answer to a request that is refused."""
    return error_response(_STATUSES[refused.reason], refused.message, errors=refused.errors)


def limited_response(world: World, viewer: Viewer, limited: Limited) -> Response:
    """The answer over a limit: 403 with the headers of a primary limit, or with `retry-after`."""
    world.counters.add("limited")
    request_id = new_request_id()
    headers = {"x-github-request-id": request_id}
    if limited.primary:
        allowance = world.limits.allowance(viewer, limited.resource)
        if allowance:
            headers |= limit_headers(world, viewer, limited.resource) | {"x-ratelimit-remaining": "0"}
        installation = viewer.installation.id if viewer.installation else viewer.app.id
        message = f"API rate limit exceeded for installation ID {installation}."
    else:
        headers["retry-after"] = str(limited.retry_after)
        message = SECONDARY_MESSAGE.format(request_id=request_id)
    return error_response(403, message, headers=headers, documentation_url=LIMITS_DOCUMENTATION)


def limit_headers(world: World, viewer: Viewer, resource: str) -> dict[str, str]:
    """`x-ratelimit-…`, or nothing where limits are off."""
    allowance = world.limits.allowance(viewer, resource)
    if allowance is None:
        return {}
    return {
        "x-ratelimit-limit": str(allowance.limit),
        "x-ratelimit-remaining": str(allowance.remaining),
        "x-ratelimit-used": str(allowance.used),
        "x-ratelimit-reset": str(int(allowance.reset)),
        "x-ratelimit-resource": resource,
    }


def finish(world: World, response: Response) -> Response:
    """Adds the headers that every answer has."""
    response.headers.setdefault("x-github-request-id", new_request_id())
    response.headers.setdefault("x-github-media-type", "github.v3; format=json")
    response.headers.setdefault("x-github-enterprise-version", ENTERPRISE_VERSION)
    if world.api_versions:
        response.headers.setdefault("x-github-api-version-selected", world.api_versions[0])
    response.headers["date"] = formatdate(world.clock.skewed(), usegmt=True)
    response.headers["server"] = "github.com"
    return response


def new_request_id() -> str:
    """As GitHub's: five groups of hexadecimal digits."""
    digits = uuid4().hex.upper()
    return f"{digits[:4]}:{digits[4:10]}:{digits[10:16]}:{digits[16:22]}:{digits[22:30]}"


async def meet_faults(faults: list[Fault], when: str) -> Response | None:
    """Waits where an answer is to be slow; the answer of a fault that replaces the real one."""
    for fault in faults:
        if fault.kind == "slow" and when == "before":
            await asyncio.sleep(fault.seconds)
        elif fault.kind != "slow" and fault.when == when:
            return _fault_response(fault)
    return None


def _fault_response(fault: Fault) -> Response:
    headers = {} if fault.retry_after is None else {"retry-after": str(fault.retry_after)}
    match fault.kind:
        case "drop":
            return _Dropped()
        case "graphql_error":
            message = fault.message or "Something went wrong while executing your query."
            return json_response({"data": None, "errors": [{"type": fault.type, "message": message}]})
        case "timeout":
            message = _TIMEOUT_MESSAGE.format(request_id=new_request_id())
            return json_response({"data": None, "errors": [{"message": message}]}, status=fault.status)
        case "incomplete_results":
            return json_response({"total_count": 0, "incomplete_results": True, "items": []})
        case "secondary_limit":
            status = fault.status if fault.status in {403, 429} else 403
            message = fault.message or SECONDARY_MESSAGE.format(request_id=new_request_id())
            return error_response(status, message, headers=headers, documentation_url=LIMITS_DOCUMENTATION)
        case _:
            message = fault.message or _GATEWAY_MESSAGES.get(fault.status, "Too Many Requests")
            return error_response(fault.status, message, headers=headers)


class _Dropped(Response):
    """Promises a body and ends without it: the server then closes the connection."""

    def __init__(self) -> None:
        super().__init__(headers={"content-length": "1000000"})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002
        """Sends the beginning of an answer."""
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
