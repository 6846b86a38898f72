"""The folder of a stack: what is kept in it, who runs on it, and how it is wiped."""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import shutil
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from shared.auth.api_keys import new_api_key

MARKER = "octobatch.stack"
MIN_FREE_BYTES = 500 * 1024 * 1024
STOP_SECONDS = 60


class StackError(RuntimeError):
    """The stack cannot start or stop; the message says why and what to do."""


class StackFolder:
    """`.octobatch/`: data, logs and secrets of one stack."""

    def __init__(self, path: Path) -> None:
        self.path = path.resolve()

    @property
    def logs(self) -> Path:
        """One log file a part."""
        return self.path / "logs"

    def prepare(self) -> None:
        """Makes the folder; raises `StackError` where it is somebody else's or the disk is full."""
        if self.path.exists() and any(self.path.iterdir()) and not self.is_one():
            raise StackError(f"{self.path} is not empty and not a stack's folder; choose another with --folder")
        self.logs.mkdir(parents=True, exist_ok=True)
        (self.path / MARKER).touch()
        free = shutil.disk_usage(self.path).free
        if free < MIN_FREE_BYTES:
            raise StackError(
                f"the disk of {self.path} is full: {free // 2**20} MiB are free, {MIN_FREE_BYTES // 2**20} are needed;"
                " make room, or choose a folder elsewhere with --folder"
            )

    def is_one(self) -> bool:
        """Whether a stack was ever prepared here."""
        return (self.path / MARKER).exists()

    def secret(self, name: str) -> str:
        """A random secret, made on first use and kept with mode 600."""
        return self._kept(name, secrets.token_urlsafe(32))

    def api_key(self) -> str:
        """The key that the command line of this machine uses, likewise."""
        return self._kept("api-key", new_api_key())

    def write_private(self, name: str, content: str) -> Path:
        """Writes a file that only its owner may read."""
        path = self.path / name
        path.touch(mode=0o600)
        path.chmod(0o600)
        path.write_text(content)
        return path

    @contextmanager
    def held(self) -> Iterator[None]:
        """Holds the folder for this process; the lock ends with the process, however it ends."""
        with (self.path / "lock").open("a+") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise StackError(
                    f"the stack in {self.path} is running already (process {self.owner()});"
                    " 'octobatch down' stops it, --folder starts another"
                ) from None
            lock.truncate(0)
            lock.write(str(os.getpid()))
            lock.flush()
            yield
            lock.truncate(0)

    def owner(self) -> int | None:
        """The process that holds the folder, as far as its lock file says."""
        try:
            return int((self.path / "lock").read_text())
        except (OSError, ValueError):
            return None

    def is_held(self) -> bool:
        """Whether a process holds the folder."""
        if not (self.path / "lock").exists():
            return False
        with (self.path / "lock").open() as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return True
        return False

    def stop_owner(self) -> bool:
        """Stops the running stack and waits for its end; False where none runs."""
        owner = self.owner()
        if not self.is_held() or owner is None:
            return False
        os.kill(owner, signal.SIGTERM)
        deadline = time.monotonic() + STOP_SECONDS
        while self.is_held():
            if time.monotonic() > deadline:
                raise StackError(f"process {owner} did not stop within {STOP_SECONDS} s")
            time.sleep(0.1)
        return True

    def remember(self, pids: dict[str, int]) -> None:
        """Notes the children, for the next start to find those that a crash left behind."""
        started = {
            name: [pid, psutil.Process(pid).create_time()] for name, pid in pids.items() if psutil.pid_exists(pid)
        }
        (self.path / "processes.json").write_text(json.dumps(started))

    def stop_leftovers(self) -> list[str]:
        """Stops children of a stack that crashed; returns their names. Only processes that are surely ours."""
        file = self.path / "processes.json"
        noted: dict[str, tuple[int, float]] = json.loads(file.read_text()) if file.exists() else {}
        left: list[tuple[str, psutil.Process]] = []
        for name, (pid, create_time) in reversed(noted.items()):
            try:
                process = psutil.Process(pid)
                if process.create_time() == create_time:
                    process.send_signal(signal.SIGINT if name == "PostgreSQL" else signal.SIGTERM)
                    left.append((name, process))
            except psutil.NoSuchProcess:
                continue
        _, alive = psutil.wait_procs([process for _, process in left], timeout=20)
        for process in alive:
            process.kill()
        file.unlink(missing_ok=True)
        return [name for name, _ in left]

    def wipe(self) -> None:
        """Removes everything; raises `StackError` where the folder is not a stack's, or one runs on it."""
        if not self.is_one():
            raise StackError(f"{self.path} is not a stack's folder; nothing was removed")
        if self.is_held():
            raise StackError(f"the stack in {self.path} is running; stop it first")
        shutil.rmtree(self.path)

    def _kept(self, name: str, fresh: str) -> str:
        path = self.path / name
        if not path.exists():
            self.write_private(name, fresh)
        return path.read_text()
