"""A real server that takes webhooks, for tests."""

from __future__ import annotations

import json
import queue
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
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
    """Where webhooks arrive. `answer` is the status that it answers with."""

    url: str
    arrived: queue.Queue[Received]
    answer: int = 202

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
            self.send_response(receiver.answer)
            self.send_header("content-length", "2")
            self.end_headers()
            self.wfile.write(b"ok")
            arrived.put(Received(headers=headers, content=content))

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            """Says nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        receiver = Receiver(url=f"http://127.0.0.1:{server.server_address[1]}/hook", arrived=arrived)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield receiver
        server.shutdown()
        thread.join()
