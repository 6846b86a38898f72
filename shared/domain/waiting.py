"""What a run waits for, in words, the same in the API, the page and the command line."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any


class WaitKind(StrEnum):
    """Why no pull request is opened at this moment."""

    PAUSED = "paused"
    WINDOW = "window"
    RATE = "rate"
    WAVE = "wave"
    MAX_OPEN = "max_open"
    MAX_OPEN_PER_REPOSITORY = "max_open_per_repository"
    LIMIT = "limit"  # of GitHub


_SLOTS = frozenset({WaitKind.RATE, WaitKind.LIMIT})


@dataclass(frozen=True, kw_only=True)
class Wait:
    """What is waited for; `until` where time alone decides."""

    kind: WaitKind
    text: str
    until: datetime | None = None

    def in_words(self, now: datetime) -> str:
        """`content creation: 500/h, next slot in 12 s`."""
        if self.kind not in _SLOTS or self.until is None:
            return self.text
        return f"{self.text}, next slot in {duration_in_words(self.until - now)}"

    def to_json(self) -> dict[str, Any]:
        """As it is stored."""
        return {"kind": self.kind.value, "text": self.text, "until": self.until.isoformat() if self.until else None}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Wait:
        """From what `to_json` gave."""
        until = stored["until"]
        return cls(
            kind=WaitKind(stored["kind"]), text=stored["text"], until=datetime.fromisoformat(until) if until else None
        )


def duration_in_words(duration: timedelta) -> str:
    """`12 s`, `4 min`, `2 h 5 min`, `3 d 4 h`; what has passed is `0 s`."""
    seconds = max(0, round(duration.total_seconds()))
    if seconds < 60:
        return f"{seconds} s"
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 24:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    days, hours = divmod(hours, 24)
    return f"{days} d {hours} h" if hours else f"{days} d"


def moment_in_words(moment: datetime) -> str:
    """`Monday 08:00 UTC`."""
    return f"{moment.astimezone(UTC):%A %H:%M} UTC"
