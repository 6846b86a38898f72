"""Signing in from the command line, as a user does."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.acceptance.conftest import RunningStack


@pytest.fixture
def home(tmp_path: Path) -> dict[str, str]:
    """An environment of somebody who never used the command."""
    return {"HOME": str(tmp_path), "PATH": "/usr/bin:/bin", "COLUMNS": "200"}


def octobatch(home: dict[str, str], *arguments: str, given: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "cli.main", *arguments],
        env=home,
        input=given,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        cwd=home["HOME"],
    )


def test_a_context_is_made_used_and_forgotten(stack: RunningStack, home: dict[str, str]) -> None:
    url, key = stack.stack.url, stack.folder.api_key()
    refused = octobatch(home, "login", url, "--with-key", given="obk_00000000_wrong\n")
    assert refused.returncode == 4, refused.stderr
    assert not (Path(home["HOME"]) / ".config").exists()

    made = octobatch(home, "login", f"{url}/ui/runs/1", "--name", "prod", "--with-key", given=f"{key}\n")
    assert made.returncode == 0, made.stderr
    assert key not in made.stdout + made.stderr
    me = json.loads(octobatch(home, "whoami", "-o", "json").stdout)
    assert (me["url"], me["context"], me["source"], me["me"]["actor"]) == (
        url,
        "prod",
        "current_context",
        "key:bootstrap",
    )

    nowhere = {**home, "OCTOBATCH_URL": "http://127.0.0.1:9"}
    assert octobatch(nowhere, "installations").returncode == 3
    listed = octobatch(nowhere, "installations", "--context", "prod", "-o", "name", "--quiet")
    assert listed.returncode == 0, listed.stderr
    assert listed.stderr == ""
    assert listed.stdout.strip().isdigit()

    assert octobatch(home, "logout").returncode == 0
    gone = octobatch(home, "whoami")
    assert gone.returncode == 3
    assert "octobatch login" in gone.stderr


def test_what_is_no_gateway_is_said_to_be_none(stack: RunningStack, home: dict[str, str]) -> None:
    refused = octobatch(home, "login", stack.stack.github_url, "--with-key", given="obk_00000000_key")
    assert refused.returncode == 3, refused.stderr
    assert "is no gateway of Octobatch's" in refused.stderr
