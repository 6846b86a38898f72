"""`octobatch health` says what the gateway says, whether all is well or not."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from typer import Typer
from typer.testing import CliRunner

from cli import health
from cli.failures import CommandFailed

WELL = {"name": "postgres", "is_healthy": True, "duration_ms": 0.7, "detail": ""}
UNWELL = {"name": "github", "is_healthy": False, "duration_ms": 2000.4, "detail": "no answer within 2 s"}


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Any]]:
    """What a gateway answers: `status`, `body`."""
    answers: dict[str, Any] = {}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            is_health = self.path == "/healthz"
            self.send_response(answers["status"] if is_health else 404)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(json.dumps(answers["body"] if is_health else {}).encode())

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        monkeypatch.setenv("OCTOBATCH_URL", f"http://127.0.0.1:{server.server_port}")
        monkeypatch.setenv("OCTOBATCH_API_KEY", "")
        yield answers
        server.shutdown()


def _run(*arguments: str) -> Any:
    app = Typer()
    health.register(app)
    return CliRunner().invoke(app, list(arguments))


def test_it_ends_with_0_where_all_is_well(answers: dict[str, Any]) -> None:
    answers |= {"status": 200, "body": {"healthy": True, "checks": [WELL]}}
    done = _run()
    assert done.exit_code == 0
    assert done.stdout.split() == ["check", "health", "ms", "detail", "postgres", "healthy", "0.7"]


def test_it_ends_with_1_where_something_is_not(answers: dict[str, Any]) -> None:
    answers |= {"status": 503, "body": {"healthy": False, "checks": [WELL, UNWELL]}}
    done = _run("--output", "json")
    assert done.exit_code == 1
    assert json.loads(done.stdout) == answers["body"]


def test_a_gateway_that_is_away_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OCTOBATCH_URL", "http://127.0.0.1:1")
    done = _run()
    assert isinstance(done.exception, CommandFailed)
    assert "cannot be reached" in done.exception.message
