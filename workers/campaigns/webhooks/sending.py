"""Sending one webhook: a POST, bounded in time and in what is read of the answer. No redirect is followed.

No proxy is used either: it would be the proxy that resolves the name, unchecked.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager

import httpcore
import httpx

from shared.domain.webhook_retries import Answer
from shared.observability.redaction import redact

from .addresses import AddressRefused, PublicBackend

MOST_READ_BYTES = 16 * 1024
"""Read of an answer; the rest is not waited for."""

EXCERPT_CHARACTERS = 1000
KEPT_OPEN_SECONDS = 10.0
NAMES_AT_ONCE = 16
"""Names that are looked up at once."""


class WebhookSender:
    """The connections of one process to endpoints."""

    def __init__(self, pool: httpcore.AsyncConnectionPool, *, timeout_seconds: float) -> None:
        self._pool = pool
        self.timeout_seconds = timeout_seconds

    @classmethod
    @asynccontextmanager
    async def open(cls, *, timeout_seconds: float, allow_private: bool) -> AsyncIterator[WebhookSender]:
        """Connections, closed at the end; to private addresses only where `allow_private`."""
        threads = ThreadPoolExecutor(NAMES_AT_ONCE, thread_name_prefix="webhook-names")
        pool = httpcore.AsyncConnectionPool(
            ssl_context=httpx.create_ssl_context(),
            max_connections=None,  # bounded by the endpoints, and for each of them
            max_keepalive_connections=20,
            keepalive_expiry=KEPT_OPEN_SECONDS,
            network_backend=PublicBackend(allow_private=allow_private, threads=threads),
        )
        try:
            async with pool:
                yield cls(pool, timeout_seconds=timeout_seconds)
        finally:
            threads.shutdown(wait=False, cancel_futures=True)

    async def send(self, url: str, *, headers: Mapping[str, str], body: bytes) -> Answer:
        """What the endpoint answered, or why it did not; raises nothing that is the endpoint's doing."""
        try:
            async with asyncio.timeout(self.timeout_seconds):
                return await self._post(url, headers=headers, body=body)
        except (TimeoutError, httpcore.TimeoutException):
            return Answer(error=f"no answer within {self.timeout_seconds:g} s")
        except AddressRefused as refused:
            return Answer(error=str(refused))
        except (httpcore.NetworkError, httpcore.ProtocolError, OSError) as error:
            return Answer(error=str(error) or type(error).__name__)
        except (httpx.InvalidURL, httpcore.UnsupportedProtocol, ValueError) as error:
            return Answer(error=f"the URL cannot be used: {error}")

    async def _post(self, url: str, *, headers: Mapping[str, str], body: bytes) -> Answer:
        sent = {"Host": httpx.URL(url).netloc.decode(), "Content-Length": str(len(body)), **headers}
        async with self._pool.stream("POST", url, headers=list(sent.items()), content=body) as response:
            excerpt = b""
            async for part in response.aiter_stream():
                excerpt += part[: MOST_READ_BYTES - len(excerpt)]
                if len(excerpt) >= MOST_READ_BYTES:
                    break
        given = {name.lower(): value for name, value in response.headers}
        retry_after = given.get(b"retry-after")
        return Answer(
            status=response.status,
            retry_after=retry_after.decode("latin-1") if retry_after else None,
            response=_shown(excerpt),
        )


def _shown(content: bytes) -> str:
    text = content.decode(errors="replace").replace("\x00", "\N{REPLACEMENT CHARACTER}")
    return redact(text)[:EXCERPT_CHARACTERS]
