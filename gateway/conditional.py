"""`ETag` and `If-None-Match`: whoever has an answer already is told so, and sent nothing.

An answer's tag is the digest of its bytes, so that nothing has to be kept for it; a route may set one of its own.
Streams, and what is not to be stored, have none.
"""

from __future__ import annotations

import hashlib

from pydantic import BaseModel
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_NOT_MODIFIED = 304
_BODILY = (b"content-length", b"content-type")


class Conditional:
    """Gives JSON answers to GET a tag, and answers 304 where the client names it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one request."""
        if scope["type"] == "http" and scope["method"] == "GET":
            send = _Answer(send, Headers(scope=scope).get("if-none-match", "")).send
        await self._app(scope, receive, send)


class _Answer:
    """One answer: its start is held back until its body is there, where that comes in one piece."""

    def __init__(self, send: Send, known: str) -> None:
        self._send = send
        self._known = known
        self._start: Message | None = None

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start" and _may_have_tag(message):
            self._start = message
            return
        if self._start is not None:
            start, self._start = self._start, None
            message = await self._begin(start, message)
        await self._send(message)

    async def _begin(self, start: Message, body: Message) -> Message:
        """Sends the start of the answer; gives what is to follow it."""
        if not body.get("more_body"):
            headers = MutableHeaders(scope=start)
            tag = headers.setdefault("ETag", tag_of_content(body.get("body", b"")))
            if is_among(tag, self._known):
                start["status"] = _NOT_MODIFIED
                start["headers"] = [each for each in start["headers"] if each[0].lower() not in _BODILY]
                body = {**body, "body": b""}
        await self._send(start)
        return body


def _may_have_tag(start: Message) -> bool:
    headers = Headers(raw=start["headers"])
    is_json = headers.get("content-type", "").startswith("application/json")
    return start["status"] == 200 and is_json and "no-store" not in headers.get("cache-control", "")


def tag_of_content(content: bytes) -> str:
    """The tag of these bytes."""
    return f'"{hashlib.sha256(content).hexdigest()[:32]}"'


def tag_of(shown: BaseModel) -> str:
    """The tag of a resource, as a route sets it that can be changed under `If-Match`."""
    return tag_of_content(shown.model_dump_json().encode())


def is_among(tag: str, tags: str) -> bool:
    """Whether a header such as `If-Match` names the tag, weak or strong, or is `*`."""
    return any(each.strip().removeprefix("W/") in (tag, "*") for each in tags.split(","))
