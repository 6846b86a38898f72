"""Times and ages as people type them."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from .failures import CommandFailed, ExitCode

TIME_HELP = "as 2026-03-01T09:00:00Z, or so long ago: 90s, 15m, 2h, 7d"

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_AGE = re.compile(r"(\d{1,6})([smhd])")


def parse_age(text: str) -> timedelta:
    """`90s`, `15m`, `2h` or `7d`; raises `CommandFailed`."""
    match = _AGE.fullmatch(text)
    if not match:
        raise CommandFailed(f"{text!r} is no age", exit_code=ExitCode.BAD_INPUT, hint="write 90s, 15m, 2h or 7d")
    return timedelta(**{_UNITS[match[2]]: int(match[1])})


def parse_moment(text: str, *, now: datetime | None = None) -> datetime:
    """A time as RFC 3339 (this machine's time zone where it names none), or an age before `now`.

    Raises `CommandFailed`.
    """
    try:
        if _AGE.fullmatch(text):
            return (now or datetime.now(UTC)) - parse_age(text)
        return datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError):
        hint = f"write it {TIME_HELP}"
        raise CommandFailed(f"{text!r} is no time", exit_code=ExitCode.BAD_INPUT, hint=hint) from None


def seconds_text(seconds: float) -> str:
    """`0.4 s`, `41 s`, `3 min`, `5.2 h`: an age at a glance."""
    if seconds < 1:
        return f"{seconds:.1f} s"
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"
