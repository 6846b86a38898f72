"""Processes that steps leave behind, and how they are found: by the step's user, or by its HOME."""

from __future__ import annotations

import asyncio
import os
import signal
from contextlib import suppress
from pathlib import Path


async def end_everything(process: asyncio.subprocess.Process, *, home: Path, user: int | None) -> None:
    """Kills whatever a step left running: its process group, and what left the group."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    await process.wait()
    for _ in range(20):  # a process that forks while it is being killed needs another round
        if not await asyncio.to_thread(_kill_leftovers, home, user):
            return


def _kill_leftovers(home: Path, user: int | None) -> int:
    """Kills the processes of the step's own user, or those whose HOME is the step's; how many there were."""
    killed = 0
    for pid, status in _processes():
        mine = _has_home(pid, home) if user is None else status.get("Uid") == str(user)
        if mine and not status.get("State", "").startswith("Z"):
            with suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
                killed += 1
    return killed


def _has_home(pid: int, home: Path) -> bool:
    with suppress(OSError):
        return f"HOME={home}".encode() in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    return False


def threads_of_own_user() -> int:
    """How many threads this user has now: a plain process's limit counts them too."""
    return sum(int(status.get("Threads", 0)) for _, status in _processes() if status.get("Uid") == str(os.getuid()))


def _processes() -> list[tuple[int, dict[str, str]]]:
    found: list[tuple[int, dict[str, str]]] = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            with suppress(OSError):
                lines = (folder / "status").read_text(errors="replace").splitlines()
                fields = {name: value.split() for name, _, value in (line.partition(":") for line in lines)}
                found.append((int(folder.name), {name: value[0] for name, value in fields.items() if value}))
    return found
