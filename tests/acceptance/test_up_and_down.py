"""`octobatch up` and `down` as a user types them: restarts, a crash of the stack itself, wiping."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

from tests.acceptance.conftest import SPEC, Up


@pytest.mark.slow
def test_data_survives_restarts_and_crashes_until_it_is_wiped(up: Up) -> None:
    with up.start() as gateway:
        assert [each["account"] for each in gateway.get("/v1/installations").json()["items"]] == ["acme"]
        gateway.put("/v1/campaigns/kept", json={"document": SPEC.format(name="kept")}).raise_for_status()
    said = up.end(signal.SIGINT)
    names = ["PostgreSQL", "Valkey", "GitHub sandbox", "gateway"]
    names += ["campaigns worker", "selection worker", "tokens worker"]
    assert [line.rpartition(" stopped")[0] for line in said.splitlines() if line.endswith(" stopped")] == names[::-1]

    with up.start() as gateway:
        assert gateway.get("/v1/campaigns/kept").json()["current_version"] == 1
    up.end(signal.SIGKILL)  # its children live on: the next start finds and stops them

    with up.start() as gateway:
        assert "stopped what a crash had left running" in up.log.read_text()
        assert gateway.get("/v1/campaigns/kept").json()["current_version"] == 1
    down = [sys.executable, "-m", "cli.main", "down", "--wipe", "--yes", "--folder", str(up.folder.path)]
    assert subprocess.run(down, check=False).returncode == 0
    assert up.process is not None
    assert up.process.wait(60) == 0
    assert not up.folder.path.exists()
