"""The stores by `octobatch up --only-stores`, the processes by honcho from the Procfile, artifacts in S3."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.request import urlopen

import boto3
import pytest
from moto.server import ThreadedMotoServer

from sandbox.embedded.servers import free_port
from tests.acceptance.conftest import SPEC, Up

ROOT = Path(__file__).parents[2]
KEYS = {"aws_access_key_id": "test", "aws_secret_access_key": "test", "region_name": "us-east-1"}


@pytest.fixture
def s3() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=free_port(), verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    endpoint = f"http://{host}:{port}"
    boto3.client("s3", endpoint_url=endpoint, **KEYS).create_bucket(Bucket="artifacts")
    yield endpoint
    server.stop()


def _octobatch(*arguments: str, **environment: str) -> str:
    command = [sys.executable, "-m", "cli.main", *arguments]
    done = subprocess.run(command, env={**os.environ, **environment}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture
def directories(tmp_path: Path) -> list[str]:
    """A source tree, and a git repository with a commit."""
    (tmp_path / "plain").mkdir()
    (tmp_path / "plain" / "main.py").write_text("print('plain')\n")
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept" / "kept.txt").write_text("kept\n")
    git = ["git", "-C", str(tmp_path / "kept"), "-c", "user.name=A", "-c", "user.email=a@example.org"]
    for arguments in (["init", "--quiet"], ["add", "."], ["commit", "--quiet", "-m", "Begin"]):
        subprocess.run([*git, *arguments], check=True)
    return [str(tmp_path / "plain"), str(tmp_path / "kept")]


@pytest.mark.slow
def test_a_campaign_runs_on_imported_folders_with_honcho_and_s3(
    up: Up, s3: str, directories: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = ("--folder", str(up.folder.path))
    _octobatch("sandbox", "import", *directories, *folder)
    monkeypatch.setenv("OCTOBATCH_BLOBSTORE_URL", "s3://artifacts/campaigns")
    monkeypatch.setenv("OCTOBATCH_BLOBSTORE_ENDPOINT", s3)
    monkeypatch.setenv("OCTOBATCH_BLOBSTORE_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("OCTOBATCH_BLOBSTORE_SECRET_ACCESS_KEY", "test")
    up.arguments.append("--only-stores")
    up.start(until="The stores are ready")
    (tmp_path / "env").write_text(_octobatch("sandbox", "env", *folder))
    for name in [name for name in os.environ if name.startswith("OCTOBATCH_")]:
        monkeypatch.delenv(name)
    known = json.loads((up.folder.path / "client.json").read_text())

    honcho = [sys.executable, "-m", "honcho", "--env", str(tmp_path / "env"), "--procfile", str(ROOT / "Procfile")]
    with (tmp_path / "honcho.log").open("wb") as log:
        activated = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
        processes = subprocess.Popen([*honcho, "start"], cwd=ROOT, env=activated, stdout=log, stderr=log)
    try:
        _wait_for(f"{known['url']}/readyz", tmp_path / "honcho.log")
        spec = tmp_path / "spec.yaml"
        spec.write_text(SPEC.format(name="by-honcho"))
        client = {"OCTOBATCH_URL": known["url"], "OCTOBATCH_API_KEY": known["api_key"]}
        ended = json.loads(_octobatch("apply", "--file", str(spec), "--output", "json", **client))
        targets = json.loads(_octobatch("targets", "--output", "json", **client))
        diff = _octobatch("diff", "acme/kept", **client)
    finally:
        processes.send_signal(signal.SIGTERM)
        processes.wait(60)

    assert ended["counts"] == {"open": 2}
    assert sorted(target["repository"] for target in targets) == ["acme/kept", "acme/plain"]
    assert "+of by-honcho" in diff
    stored = boto3.client("s3", endpoint_url=s3, **KEYS).list_objects_v2(Bucket="artifacts", Prefix="campaigns/")
    assert stored["KeyCount"] >= 2 * 3  # log, patch and diff of each
    assert not (up.folder.path / "artifacts").exists()


def _wait_for(url: str, log: Path) -> None:
    deadline = time.monotonic() + 60
    while True:
        try:
            with urlopen(url, timeout=2):
                return
        except OSError:
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.1)
