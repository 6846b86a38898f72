"""The sandbox's clock: the machine's, and how far it is set wrong on request."""

from __future__ import annotations

import time
from datetime import UTC, datetime


class Clock:
    """`skew_seconds` moves what GitHub thinks the time is: its Date header, how it judges JWTs, and when it says that
    tokens expire."""

    def __init__(self) -> None:
        self.skew_seconds = 0.0

    def now(self) -> float:
        """Seconds since 1970, unskewed: for expiry and limits."""
        return time.time()

    def skewed(self) -> float:
        """Seconds since 1970 as GitHub believes."""
        return time.time() + self.skew_seconds

    def stamp(self) -> str:
        """Now, as GitHub writes times: `2026-01-02T03:04:05Z`."""
        return stamp(time.time())


def stamp(seconds: float) -> str:
    """A time as GitHub writes it."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def seconds(text: str) -> float:
    """Seconds since 1970 of a time that GitHub wrote."""
    return datetime.fromisoformat(text).timestamp()
