"""A GitHub that refuses the App, or does not answer: a clear error in CLI and API, and nothing half created."""

from __future__ import annotations

import subprocess
from pathlib import Path

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from sandbox.embedded.servers import free_port
from sandbox.folder import StackFolder
from sandbox.stack import Stack
from tests.acceptance.conftest import RunningStack


def other_key(folder: Path) -> Path:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    file = folder / "other.pem"
    file.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()))
    return file


def applied(folder: Path, spec: Path, environment: dict[str, str]) -> tuple[subprocess.CompletedProcess[str], dict]:
    """What the command line says in a stack with these settings, and the run as the API tells it."""
    stack_folder = StackFolder(folder / "octobatch")
    stack_folder.prepare()
    stack = Stack(
        stack_folder, gateway_port=free_port(), github_port=free_port(), say=lambda _: None, environment=environment
    )
    try:
        stack.start()
        running = RunningStack(stack, stack_folder)
        said = running.octobatch("apply", "--file", str(spec))
        run = running.api("GET", "/v1/runs")["items"][0]
        assert running.api("GET", f"/v1/runs/{run['id']}/targets")["items"] == []
        pulls = httpx.get(f"{stack.github_url}/_sandbox/pulls").json()
        assert pulls == []
        return said, run
    finally:
        stack.stop()


@pytest.mark.slow
def test_a_wrong_app_key_is_named(tmp_path: Path, spec: Path) -> None:
    environment = {"OCTOBATCH_GITHUB_APP_PRIVATE_KEY_FILE": str(other_key(tmp_path))}
    said, run = applied(tmp_path, spec, environment)
    assert said.returncode == 1
    assert run["state"] == "failed"
    assert "key" in run["error"]
    assert run["error"] in " ".join((said.stdout + said.stderr).split())


@pytest.mark.slow
def test_a_github_that_does_not_answer_is_named(tmp_path: Path, spec: Path) -> None:
    address = f"http://127.0.0.1:{free_port()}"
    environment = {"OCTOBATCH_GITHUB_API_BASE": f"{address}/api/v3", "OCTOBATCH_COMMAND_MAX_ATTEMPTS": "2"}
    said, run = applied(tmp_path, spec, environment)
    assert said.returncode == 1
    assert run["state"] == "failed"
    assert "127.0.0.1" in run["error"]
