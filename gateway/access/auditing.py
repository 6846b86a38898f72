"""The audit of writes: each that somebody was found to ask for is one row, whatever they were answered.

A row says who, from which address, what and with which result; never a body, a header or a query, which may hold a
secret. It is written after the answer, which stands if Postgres is away: the row is then in the log, and counted.
"""

from __future__ import annotations

import asyncio
import re
from dataclasses import asdict
from http import HTTPStatus
from typing import Any

import asyncpg
import structlog
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.domain.audit import Write
from shared.domain.principal import Principal
from shared.observability.metrics import AUDIT_ROWS_LOST
from shared.observability.redaction import redact
from shared.postgres import audit

from ..resources import SIGN_IN_CALLBACK, Resources
from ..versions import V1

log = structlog.stdlib.get_logger(__name__)

PATIENCE_SECONDS = 2.0
"""How long Postgres may take for a row."""

MOST_CHARACTERS = 300
"""Of the name of a resource: one that does not exist may be of any length."""

READING = frozenset({"GET", "HEAD", "OPTIONS"})

LEFT_OUT = {
    "POST /v1/tokens/installations/{installation_id}": "machines ask often; the audit of tokens has each grant and"
    " refusal",
    "POST /v1/tokens/installations/{installation_id}/dry-run": "it changes nothing, and has no row there either",
    "POST /v1/specs/validate": "it changes nothing, and the editor asks at each pause of typing",
    "POST /v1/policies/test": "it changes nothing",
    "POST /webhooks/github": "GitHub asks, with no credential of ours; what came is in its own table of deliveries",
}
"""What is no GET and has no row, and why."""


class Audited:
    """Writes a row for each write, and for who comes back from the OIDC provider, which is no POST."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one request."""
        if scope["type"] != "http" or (scope["method"] in READING and scope["path"] != SIGN_IN_CALLBACK):
            await self._app(scope, receive, send)
            return
        status, location = 500, ""

        async def send_and_see(message: Message) -> None:
            nonlocal status, location
            if message["type"] == "http.response.start":
                status = message["status"]
                location = Headers(raw=message["headers"]).get("location", "")
            await send(message)

        try:
            await self._app(scope, receive, send_and_see)
        finally:
            if write := _write(scope, status, location):
                await _record(scope["app"].state.resources, write)


def _write(scope: Scope, status: int, location: str) -> Write | None:
    """What is to be recorded; None where nobody was found to ask, or the route is left out."""
    state: dict[str, Any] = scope.get("state", {})
    principal: Principal | None = state.get("principal")
    route: str | None = state.get("route")
    if principal is None or route is None or f"{scope['method']} {route}" in LEFT_OUT:
        return None
    made = location if status == HTTPStatus.CREATED and "{" not in route else ""
    return Write(
        actor=principal.actor,
        address=(scope.get("client") or ("",))[0],
        method=scope["method"],
        route=route,
        resource=redact(made.removeprefix(f"{V1}/") or resource_of(route, scope["path"]))[:MOST_CHARACTERS],
        status=status,
        request_id=state.get("request_id", ""),
    )


def resource_of(route: str, path: str) -> str:
    """What a path is about: as far as it names something, such as `campaigns/rename-ci` of `…/rename-ci/pause`."""
    told = route.removeprefix(V1).strip("/").split("/")
    named = [place for place, part in enumerate(told, start=1) if "{" in part]
    return "/".join(re.sub(f"^{V1}(?=/)", "", path).strip("/").split("/")[: named[-1] if named else len(told)])


async def _record(resources: Resources, write: Write) -> None:
    try:
        async with asyncio.timeout(PATIENCE_SECONDS), resources.pool.acquire() as conn:
            await audit.record_write(conn, write)
    except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError) as error:
        AUDIT_ROWS_LOST.inc()
        log.error("audit_row_lost", **asdict(write), error=str(error))  # noqa: TRY400 -- the store's trace says no more
