"""A real server that takes webhooks, for tests."""

from __future__ import annotations

import json
import queue
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Received:
    """One request as it came."""

    headers: dict[str, str]
    content: bytes

    @property
    def event(self) -> str:
        """The name of the event."""
        return self.headers["x-github-event"]

    @property
    def body(self) -> dict[str, Any]:
        """The payload."""
        body: dict[str, Any] = json.loads(self.content)
        return body


@dataclass(kw_only=True)
class Receiver:
    """Where webhooks arrive. It answers with `answer` and `headers`, once `release` is set if there is one."""

    url: str
    arrived: queue.Queue[Received]
    answer: int = 202
    headers: dict[str, str] = field(default_factory=dict[str, str])
    release: threading.Event | None = None

    def wait_for(self, event: str, action: str | None = None, *, seconds: float = 15) -> Received:
        """The next webhook of that event; others that come before it are dropped."""
        while True:
            received = self.arrived.get(timeout=seconds)
            if received.event == event and action in {None, received.body.get("action")}:
                return received


@contextmanager
def receiving() -> Iterator[Receiver]:
    """A receiver on a free port."""
    arrived: queue.Queue[Received] = queue.Queue()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            content = self.rfile.read(int(self.headers["content-length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            received = Received(headers=headers, content=content)
            if release := receiver.release:
                arrived.put(received)
                release.wait(10)
            self.send_response(receiver.answer)
            for name, value in {"content-length": "2", **receiver.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            with suppress(BrokenPipeError, ConnectionResetError):
                self.wfile.write(b"ok")
            if release is None:
                arrived.put(received)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            """Says nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        receiver = Receiver(url=f"http://127.0.0.1:{server.server_address[1]}/hook", arrived=arrived)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield receiver
        finally:
            server.shutdown()
            thread.join()
