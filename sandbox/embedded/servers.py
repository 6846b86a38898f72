"""What the embedded servers have in common: free ports, passwords, waiting, stopping, and the user they run as."""

from __future__ import annotations

import os
import pwd
import secrets
import signal
import socket
import stat
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

SERVER_USER = "embedded_postgres"
"""The system user that PostgreSQL runs as where Octobatch runs as root."""


class ServerNotStarted(RuntimeError):
    """A server did not come up; the message says why and what to do."""


def free_port() -> int:
    """A TCP port on loopback that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def kept_password(path: Path) -> str:
    """The password in `path` (mode 600), made on first use."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.write_text(secrets.token_urlsafe(24))
    return path.read_text()


def wait_until(
    ready: Callable[[], bool], process: subprocess.Popen[bytes], *, name: str, log: Path, seconds: float = 30
) -> None:
    """Returns once `ready()`; raises `ServerNotStarted` with the end of the log where the process ends first."""
    deadline = time.monotonic() + seconds
    while not ready():
        if process.poll() is not None or time.monotonic() > deadline:
            lines = log.read_text(errors="replace").splitlines()[-5:] if log.exists() else []
            raise ServerNotStarted(f"{name} did not start (log: {log}):\n  " + "\n  ".join(lines))
        time.sleep(0.02)


def stop(process: subprocess.Popen[bytes], *, how: signal.Signals = signal.SIGTERM, seconds: float = 20) -> None:
    """Ends a child: politely first, then with SIGKILL."""
    if process.poll() is None:
        process.send_signal(how)
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def server_user() -> str | None:
    """None, or for root the name of an ordinary user, made if need be, since PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return None
    try:
        pwd.getpwnam(SERVER_USER)
    except KeyError:
        subprocess.run(["useradd", "--system", "--shell", "/usr/sbin/nologin", SERVER_USER], check=True)
    return SERVER_USER


def as_user(name: str | None) -> dict[str, Any]:
    """Keywords for `subprocess` to run as that user, with no group of root's left."""
    return {"user": name, "group": pwd.getpwnam(name).pw_gid, "extra_groups": []} if name else {}


def let_traverse(path: Path) -> list[Path]:
    """Lets other users pass through (not list) the folders above `path`; returns those that were changed."""
    opened: list[Path] = []
    for folder in path.resolve().parents:
        mode = folder.stat().st_mode
        if not mode & stat.S_IXOTH:
            folder.chmod(mode | stat.S_IXOTH)
            opened.append(folder)
    return opened
