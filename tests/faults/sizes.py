"""How much of each fault: everything with `make faults`, which sets OCTOBATCH_FAULTS=full, and little otherwise."""

from __future__ import annotations

import os
from typing import TypeVar

Size = TypeVar("Size")

FULL = os.environ.get("OCTOBATCH_FAULTS") == "full"

SLACK_SECONDS = 1.0
"""What a loaded machine may add to the bounds that leases and ticks give."""


def size(*, short: Size, full: Size) -> Size:
    """One of the two."""
    return full if FULL else short


TIMEOUT_SECONDS = size(short=120, full=3600)
