"""The answer over HTTP: an event stream that no proxy keeps back and no cache keeps."""

from __future__ import annotations

import asyncio
from typing import Annotated, Protocol

import anyio
from fastapi import Header
from fastapi.responses import Response
from starlette.types import Receive, Scope, Send

HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}

LastEventId = Annotated[
    str | None, Header(max_length=64, description="the id of the last message that was received: goes on after it")
]


class Messages(Protocol):
    """What is sent."""

    async def next(self) -> bytes:
        """The next messages, waiting for them; empty at the end."""
        ...

    def close(self) -> None:
        """Nothing more is asked for."""
        ...


class EventStream(Response):
    """Sends messages as they come, until they end or the client has left."""

    media_type = "text/event-stream"

    def __init__(self, messages: Messages, status_code: int = 200) -> None:
        super().__init__(status_code=status_code, headers=HEADERS)
        del self.headers["content-length"]
        self._messages = messages

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002
        """Serves one client."""
        with anyio.CancelScope() as serving:
            leaving = asyncio.create_task(_left(receive))
            leaving.add_done_callback(lambda _: serving.cancel())
            try:
                await self._send_all(send)
            finally:
                leaving.cancel()
                self._messages.close()

    async def _send_all(self, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        while text := await self._messages.next():
            await send({"type": "http.response.body", "body": text, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
