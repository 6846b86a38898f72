"""The sandbox on a port of this process, with a judge in front of it: clients in any language are judged alike."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import httpx
import uvicorn
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sandbox.embedded.servers import free_port
from sandbox.github.app import create_app
from sandbox.github.first_start import OWNER, prepare
from sandbox.github.world import World

from .exchanges import Description, Exchange
from .transport import REST_ROOT


@dataclass(kw_only=True)
class JudgedSandbox:
    """Where the sandbox is, as whom to sign in, and what its answers had wrong."""

    url: str
    folder: Path
    owner: str
    exchanges: list[Exchange] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    @property
    def api_base(self) -> str:
        """The root of REST."""
        return f"{self.url}{REST_ROOT}"

    @property
    def app(self) -> dict[str, Any]:
        """`app_id`, `client_id`, `installations` and more."""
        facts: dict[str, Any] = json.loads((self.folder / "app.json").read_text())
        return facts

    @property
    def private_key(self) -> str:
        """The App's key, PEM."""
        return (self.folder / "app.pem").read_text()

    @property
    def installation_id(self) -> int:
        """The App's installation on the owner."""
        return int(self.app["installations"][self.owner])

    def control(self, method: str, path: str, body: Any = None) -> Any:
        """Asks the control API."""
        response = httpx.request(method, f"{self.url}/_sandbox{path}", json=body)
        response.raise_for_status()
        return response.json() if response.content else None


@contextmanager
def judged_sandbox(description: Description, folder: Path) -> Iterator[JudgedSandbox]:
    """A new sandbox that runs until the block ends."""
    port = free_port()
    sandbox = JudgedSandbox(url=f"http://127.0.0.1:{port}", folder=folder, owner=OWNER)
    world = World.open(folder, base_url=sandbox.url)
    prepare(world)
    config = uvicorn.Config(
        _Judge(description, create_app(world), sandbox),
        host="127.0.0.1",
        port=port,
        log_level="warning",
        access_log=False,
        server_header=False,
        date_header=False,
        timeout_graceful_shutdown=2,
    )
    server = _Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        if not server.is_up.wait(timeout=30):
            raise TimeoutError("the sandbox did not start")
        yield sandbox
    finally:
        server.should_exit = True
        thread.join()


class _Server(uvicorn.Server):
    """Tells when it listens."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.is_up = threading.Event()

    async def startup(self, sockets: Any = None) -> None:
        await super().startup(sockets)
        self.is_up.set()


class _Judge:
    """Reads each REST exchange that passes."""

    def __init__(self, description: Description, app: ASGIApp, sandbox: JudgedSandbox) -> None:
        self._description = description
        self._app = app
        self._sandbox = sandbox

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"].startswith(REST_ROOT):
            await self._app(scope, receive, send)
            return
        sent, answered = bytearray(), bytearray()
        start: Message = {}

        async def receiving() -> Message:
            message = await receive()
            sent.extend(message.get("body", b""))
            return message

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                start.update(message)
            answered.extend(message.get("body", b""))
            await send(message)

        await self._app(scope, receiving, sending)
        headers = {name.decode().lower(): value.decode() for name, value in start["headers"]}
        exchange = Exchange(
            method=scope["method"],
            path=scope["path"].removeprefix(REST_ROOT) or "/",
            query=[name for name, _ in parse_qsl(scope["query_string"].decode(), keep_blank_values=True)],
            request=bytes(sent),
            status=start["status"],
            media_type=headers.get("content-type", ""),
            response=bytes(answered),
        )
        self._sandbox.exchanges.append(exchange)
        self._sandbox.problems += self._description.problems(exchange)
