"""How much is in the folders of a step: looked at while it runs, so that none fills the disk."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from .sandboxes import Limits, Sandbox

FIRST_SECONDS = 1.0
SHARE_OF_TIME = 20
"""A look may take one part in so many of the time."""


async def overfilled(sandbox: Sandbox, limits: Limits) -> None:
    """Returns once the step's folders hold more than the limits allow; never where they do not."""
    pause = FIRST_SECONDS
    while True:
        await asyncio.sleep(pause)
        started = time.monotonic()
        if await asyncio.to_thread(_is_overfilled, sandbox, limits):
            return
        pause = max(FIRST_SECONDS, SHARE_OF_TIME * (time.monotonic() - started))


def _is_overfilled(sandbox: Sandbox, limits: Limits) -> bool:
    files = size = 0
    for folder in (sandbox.tree, sandbox.home, sandbox.temporary):
        for entry in _below(folder):
            files += 1
            size += entry.st_blocks * 512
            if files > limits.files or size > limits.written_bytes:
                return True
    return False


def _below(folder: Path) -> Iterator[os.stat_result]:
    """What is in a folder and those below it, while a step changes them; follows no link."""
    left = [str(folder)]
    while left:
        with suppress(OSError), os.scandir(left.pop()) as entries:
            for entry in entries:
                with suppress(OSError):
                    yield entry.stat(follow_symlinks=False)
                    if entry.is_dir(follow_symlinks=False):
                        left.append(entry.path)
