"""The event loop of a worker process."""

from __future__ import annotations

import gc
from collections.abc import Coroutine
from typing import Any

import uvloop

YOUNG = 20_000
"""Allocations between collections: a command makes hundreds of objects, and hardly any in a cycle."""


def run(main: Coroutine[Any, Any, None]) -> None:
    """Runs `main` to its end. What was imported before is never looked at again for garbage."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG, 50, 50)
    uvloop.run(main)
