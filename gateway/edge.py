"""What every request goes through first, and every answer last. Plain ASGI: no task and no queue for each request."""

from __future__ import annotations

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.errors import InvalidInput
from shared.observability.traces import continued

from . import problems

MAX_BODY_BYTES = 26 * 1024 * 1024
"""GitHub's webhooks have at most 25 MB."""

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'",
}


class Edge:
    """Goes on with the trace of the caller, refuses what no route should see, and gives answers security headers."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        headers = Headers(scope=scope)
        with continued(headers):
            answer = _refusal(scope, headers) or self._app
            await answer(scope, receive, send_with_headers)


def _refusal(scope: Scope, headers: Headers) -> ASGIApp | None:
    """The answer to what no route should see."""
    if scope["method"] in {"POST", "PUT", "PATCH"} and not _is_small(headers.get("content-length", "0")):
        return problems.problem(problems.TOO_LARGE, f"a body may have at most {MAX_BODY_BYTES} bytes")
    if "\x00" in scope["path"] or b"%00" in scope["query_string"]:  # PostgreSQL has no text with it
        return problems.problem(problems.KINDS[InvalidInput], "the address has a NUL character, which no name has")
    return None


def _is_small(content_length: str) -> bool:
    return content_length.isdigit() and int(content_length) <= MAX_BODY_BYTES
