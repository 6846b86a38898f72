"""The whole stack as a user has it, on a small organisation of real files, and the real command line."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from threading import Thread
from typing import Any

import httpx
import pytest

from sandbox.embedded.servers import free_port
from sandbox.folder import StackFolder
from sandbox.stack import Part, Stack

SPEC = """version: 1
name: {name}
description: Add a policy
on:
  - org: acme
steps:
  - edit: {{write: {{path: "{name}.md", content: "of {name}\\n"}}}}
  - run: echo ran >> {name}.md
changesetTemplate:
  title: Add {name}
  body: For ${{{{ repository.name }}}}
  branch: octobatch/{name}
  commit: {{message: Add {name}}}
  published: true
"""
REPOSITORIES = 12


@dataclass
class RunningStack:
    """A stack under supervision, and ways to ask it."""

    stack: Stack
    folder: StackFolder

    def octobatch(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Runs the command line against this stack."""
        known = {"OCTOBATCH_URL": self.stack.url, "OCTOBATCH_API_KEY": self.folder.api_key()}
        return subprocess.run(
            [sys.executable, "-m", "cli.main", *arguments],
            env={**os.environ, **known, **environment},
            capture_output=True,
            text=True,
            check=False,
            timeout=100,
        )

    def api(self, method: str, path: str, **given: Any) -> Any:
        """Asks the gateway and expects it to do as told."""
        headers = {"Authorization": f"Bearer {self.folder.api_key()}"}
        answer = httpx.request(method, f"{self.stack.url}{path}", headers=headers, timeout=30, **given)
        return answer.raise_for_status().json()

    def pull_requests(self, branch: str) -> list[dict[str, Any]]:
        """Every pull request of that branch that exists in the sandbox."""
        answer = httpx.get(f"{self.stack.github_url}/_sandbox/pulls", timeout=30)
        return [pull for pull in answer.raise_for_status().json() if branch in str(pull)]

    def part(self, name: str) -> Part:
        """A running part of the stack."""
        found = self.stack.part(name)
        assert isinstance(found, Part)
        return found


class Up:
    """Runs `octobatch up` on one folder, again and again."""

    def __init__(self, folder: Path) -> None:
        self.folder = StackFolder(folder)
        self.log = folder.with_suffix(".log")
        self.arguments = ["--folder", str(folder), "--port", str(free_port()), "--github-port", str(free_port())]
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, *, until: str = "Octobatch is at") -> httpx.Client:
        """Returns a client once it has said that it is ready."""
        self.log.unlink(missing_ok=True)
        with self.log.open("wb") as log:
            command = [sys.executable, "-m", "cli.main", "up", *self.arguments]
            self.process = subprocess.Popen(command, stderr=log, stdout=log, env={**os.environ, "COLUMNS": "200"})
        deadline = time.monotonic() + 60
        while until not in self.log.read_text():
            assert self.process.poll() is None, self.log.read_text()
            assert time.monotonic() < deadline, self.log.read_text()
            time.sleep(0.05)
        known = json.loads((self.folder.path / "client.json").read_text())
        return httpx.Client(base_url=known["url"], headers={"Authorization": f"Bearer {known['api_key']}"})

    def end(self, how: signal.Signals) -> str:
        """Ends it; returns what it said."""
        assert self.process is not None
        self.process.send_signal(how)
        self.process.wait(60)
        return self.log.read_text()


@pytest.fixture
def up(tmp_path: Path) -> Iterator[Up]:
    up = Up(tmp_path / "octobatch")
    yield up
    if up.process and up.process.poll() is None:
        up.end(signal.SIGTERM)
    up.folder.stop_leftovers()


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    """A stack that runs for the whole session."""
    folder = StackFolder(tmp_path_factory.mktemp("stack") / "octobatch")
    folder.prepare()
    lines: list[str] = []
    with folder.held():
        stack = Stack(folder, gateway_port=free_port(), github_port=free_port(), say=lines.append)
        try:
            stack.start()
            Thread(target=stack.supervise, daemon=True).start()
            _fill(stack)
            yield RunningStack(stack, folder)
        finally:
            stack.stop()


@pytest.fixture
def spec(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """A valid spec of a campaign of this test's own."""
    name = "".join(c if c.isalnum() else "-" for c in request.node.name.lower())[:50].strip("-")
    file = tmp_path / f"{name}.yaml"
    file.write_text(SPEC.format(name=name))
    return file


def _fill(stack: Stack) -> None:
    repositories = [{"name": f"service-{number}"} for number in range(REPOSITORIES)]
    body = {"owner": "acme", "repositories": repositories}
    httpx.post(f"{stack.github_url}/_sandbox/repositories", json=body, timeout=60).raise_for_status()
