"""What measurements have in common: a whole stack for as long as one takes, and how a page says where it comes from."""

from __future__ import annotations

import os
import platform
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from sandbox.embedded.servers import free_port
from sandbox.folder import StackFolder
from sandbox.stack import Stack


@contextmanager
def running_stack(environment: Mapping[str, str] | None = None) -> Iterator[tuple[Stack, StackFolder]]:
    """A stack that runs with these settings in a folder of its own; stopped and removed at the end."""
    with tempfile.TemporaryDirectory() as name:
        folder = StackFolder(Path(name) / "stack")
        folder.prepare()
        stack = Stack(
            folder,
            gateway_port=free_port(),
            github_port=free_port(),
            say=lambda _: None,
            environment=dict(environment or {}),
        )
        with folder.held():
            try:
                stack.start()
                yield stack, folder
            finally:
                with suppress(KeyboardInterrupt):
                    stack.stop()


def written_by(measurement: str) -> str:
    """The words with which a page begins: what wrote it, when, and of which commit."""
    described = subprocess.run(["git", "describe", "--always", "--dirty"], capture_output=True, text=True, check=False)
    at = f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC"
    return f"Written by `python -m bench {measurement}` on {at}, commit {described.stdout.strip()}"


def machine() -> str:
    """The machine, and how busy it is now."""
    return f"{os.cpu_count()} cores, Python {platform.python_version()}, load average {os.getloadavg()[0]:.1f}"
