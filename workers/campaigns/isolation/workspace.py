"""Folders for working copies: made for one piece of work, removed after it, and, where a worker died, by the next."""

from __future__ import annotations

import asyncio
import fcntl
import os
import subprocess
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from tempfile import mkdtemp

_PREFIX = "work-"


@asynccontextmanager
async def working_folder(parent: Path) -> AsyncIterator[Path]:
    """A new folder in `parent` (made where it is missing), removed at the end with all that is in it.

    The folder is locked while it is used. Folders that nobody holds any more are removed first.
    """
    folder, lock = await asyncio.to_thread(_create, parent)
    try:
        yield folder
    finally:
        await asyncio.shield(asyncio.to_thread(_release, folder, lock))


def _create(parent: Path) -> tuple[Path, int]:
    if not parent.exists():
        parent.mkdir(parents=True, exist_ok=True)
        parent.chmod(0o711)  # steps may run as another user, who finds only the folder that is its own
    _remove_abandoned(parent)
    folder = Path(mkdtemp(prefix=_PREFIX, dir=parent))
    lock = _lock(folder)
    if lock is None:
        raise BlockingIOError(f"{folder} is locked by another process")
    return folder, lock


def _lock(folder: Path) -> int | None:
    """A lock on the folder that ends with this process; None where another holds it."""
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        return None
    return descriptor


def _remove_abandoned(parent: Path) -> None:
    for folder in parent.glob(f"{_PREFIX}*"):
        with suppress(OSError):
            if time.time() - folder.stat().st_mtime < 60:
                continue  # made just now, and perhaps not locked yet
            lock = _lock(folder)
            if lock is not None:
                _release(folder, lock)


def _release(folder: Path, lock: int) -> None:
    remove_folder(folder)
    os.close(lock)


def remove_folder(folder: Path) -> None:
    """Removes a folder however deep it is, and whatever modes a step gave its parts; follows no link."""
    command = ["rm", "-rf", "--one-file-system", "--", str(folder)]
    if subprocess.run(command, capture_output=True, check=False).returncode:
        subprocess.run(["chmod", "-R", "u+rwX", "--", str(folder)], capture_output=True, check=False)
        subprocess.run(command, capture_output=True, check=False)
