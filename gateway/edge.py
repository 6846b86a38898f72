"""What every request goes through first, and every answer last. Plain ASGI: no task and no queue for each request."""

from __future__ import annotations

import re
from http import HTTPStatus

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from structlog.contextvars import bound_contextvars

from shared.domain.ids import new_id
from shared.errors import InvalidInput
from shared.observability.traces import continued

from . import problems
from .deprecation import deprecation_headers

MOST_OF_WEBHOOKS_BYTES = 26 * 1024 * 1024
"""GitHub's webhooks have at most 25 MB."""

MOST_BYTES = 2 * 1024 * 1024
"""Of every other body: a spec has at most one MiB, which escapes in JSON make longer."""

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self';"
    " font-src 'self'; connect-src 'self'; manifest-src 'self'; frame-ancestors 'none'; base-uri 'none';"
    " form-action 'self'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}
REQUEST_ID = "X-Request-Id"
"""What the audit and the log name a request by: the caller's own, where it looks like one, or one of ours."""

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,100}")
_HTTPS_ALONE = {"Strict-Transport-Security": "max-age=31536000"}


class Edge:
    """Goes on with the caller's trace, names the request, refuses what no route should see, adds security headers."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        headers = Headers(scope=scope)
        request_id = _request_id(headers)
        scope.setdefault("state", {})["request_id"] = request_id

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                answered = MutableHeaders(scope=message)
                more = {REQUEST_ID: request_id, **(_HTTPS_ALONE if _is_https(scope) else {})}
                for name, value in {**HEADERS, **more, **deprecation_headers(scope.get("route"))}.items():
                    answered.setdefault(name, value)
            await send(message)

        with continued(headers), bound_contextvars(request_id=request_id):
            answer = _refusal(scope, headers) or self._app
            await answer(scope, _counted(receive, _most_bytes(scope)), send_with_headers)


def _request_id(headers: Headers) -> str:
    given = headers.get(REQUEST_ID, "")
    return given if _REQUEST_ID.fullmatch(given) else str(new_id())


def _is_https(scope: Scope) -> bool:
    resources = getattr(scope["app"].state, "resources", None)
    return resources is not None and resources.settings.public_url.startswith("https://")


def _counted(receive: Receive, most: int) -> Receive:
    """Reads a body, which may come without a length, as far as it is not too large."""
    read = 0

    async def receive_counted() -> Message:
        nonlocal read
        message = await receive()
        read += len(message.get("body", b""))
        if read > most:
            raise HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, _too_large(most))
        return message

    return receive_counted


def _most_bytes(scope: Scope) -> int:
    return MOST_OF_WEBHOOKS_BYTES if scope["path"].startswith("/webhooks/") else MOST_BYTES


def _too_large(most: int) -> str:
    return f"a body may have at most {most} bytes"


def _refusal(scope: Scope, headers: Headers) -> ASGIApp | None:
    """The answer to what no route should see."""
    most = _most_bytes(scope)
    length = headers.get("content-length", "0")
    if not length.isdigit() or int(length) > most:
        return problems.problem(problems.TOO_LARGE, _too_large(most))
    if "\x00" in scope["path"] or b"%00" in scope["query_string"]:  # PostgreSQL has no text with it
        message = "the address has a NUL character, which no name has"
        part = "path" if "\x00" in scope["path"] else "query"
        return problems.problem(problems.KINDS[InvalidInput], message, problems=[{"path": part, "message": message}])
    return None
