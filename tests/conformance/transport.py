"""An httpx transport that judges each REST exchange, to be put around a client of any test.

    httpx.AsyncClient(transport=JudgingTransport(description, httpx.AsyncHTTPTransport()))

An exchange that does not conform raises `NotConforming` in the test that caused it.
"""

from __future__ import annotations

import httpx

from .exchanges import Description, Exchange

REST_ROOT = "/api/v3"


class NotConforming(AssertionError):
    """The exchange is not as GitHub's OpenAPI description has it."""


class JudgingTransport(httpx.AsyncBaseTransport):
    """Passes requests on to another transport, and judges those to REST with their answers."""

    def __init__(self, description: Description, inner: httpx.AsyncBaseTransport) -> None:
        self._description = description
        self._inner = inner

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """The inner transport's answer, read whole; raises `NotConforming`."""
        response = await self._inner.handle_async_request(request)
        await response.aread()
        if request.url.path.startswith(REST_ROOT):
            problems = self._description.problems(exchange_of(request, response))
            if problems:
                raise NotConforming("\n".join(problems))
        return response

    async def aclose(self) -> None:
        """Closes the inner transport."""
        await self._inner.aclose()


def exchange_of(request: httpx.Request, response: httpx.Response) -> Exchange:
    """The exchange of a request whose answer is read."""
    return Exchange(
        method=request.method,
        path=request.url.path.removeprefix(REST_ROOT) or "/",
        query=list(request.url.params.keys()),
        request=request.content,
        status=response.status_code,
        media_type=response.headers.get("content-type", ""),
        response=response.content,
    )
