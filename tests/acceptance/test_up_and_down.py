"""`octobatch up` and `down` as a user types them: restarts, a crash of the stack itself, wiping."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from sandbox.embedded.servers import free_port
from sandbox.folder import StackFolder
from tests.acceptance.conftest import SPEC


class Up:
    """Runs `octobatch up` on one folder, again and again."""

    def __init__(self, folder: Path) -> None:
        self.folder = StackFolder(folder)
        self.log = folder.with_suffix(".log")
        self.arguments = ["--folder", str(folder), "--port", str(free_port()), "--github-port", str(free_port())]
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> httpx.Client:
        """Returns a client once it says where it is."""
        self.log.unlink(missing_ok=True)
        with self.log.open("wb") as log:
            command = [sys.executable, "-m", "cli.main", "up", *self.arguments]
            self.process = subprocess.Popen(command, stderr=log, stdout=log, env={**os.environ, "COLUMNS": "200"})
        deadline = time.monotonic() + 60
        while "Octobatch is at" not in self.log.read_text():
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


@pytest.mark.slow
def test_data_survives_restarts_and_crashes_until_it_is_wiped(up: Up) -> None:
    with up.start() as gateway:
        gateway.put("/campaigns/kept", json={"document": SPEC.format(name="kept")}).raise_for_status()
    said = up.end(signal.SIGINT)
    names = ["PostgreSQL", "Valkey", "GitHub sandbox", "gateway"]
    names += ["campaigns worker", "selection worker", "tokens worker"]
    assert [line.rpartition(" stopped")[0] for line in said.splitlines() if line.endswith(" stopped")] == names[::-1]

    with up.start() as gateway:
        assert gateway.get("/campaigns/kept").json()["current_version"] == 1
    up.end(signal.SIGKILL)  # its children live on: the next start finds and stops them

    with up.start() as gateway:
        assert "stopped what a crash had left running" in up.log.read_text()
        assert gateway.get("/campaigns/kept").json()["current_version"] == 1
    down = [sys.executable, "-m", "cli.main", "down", "--wipe", "--yes", "--folder", str(up.folder.path)]
    assert subprocess.run(down, check=False).returncode == 0
    assert up.process is not None
    assert up.process.wait(60) == 0
    assert not up.folder.path.exists()
