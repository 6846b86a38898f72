"""The event loop of a worker process: asyncio's own, with fewer collections of garbage.

uvloop would run commands that do nothing a tenth faster, but starts a process six times slower (by `fork`, 4.8 ms
beside 0.8 ms, while the loop stands still), and preparing a target starts many.
"""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Coroutine
from typing import Any

YOUNG = 20_000
"""Allocations between collections: a command makes hundreds of objects, and hardly any in a cycle."""


def run(main: Coroutine[Any, Any, None]) -> None:
    """Runs `main` to its end. What was imported before is never looked at again for garbage."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG, 50, 50)
    asyncio.run(main)
