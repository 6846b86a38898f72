"""The ids of a stream's entries: a time in ms of the server's clock, and a sequence."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from ..errors import InvalidInput, Problem

_FORM = re.compile(r"(\d{1,20})(?:-(\d{1,20}))?")


def parse_stream_id(text: str, *, field: str = "") -> str:
    """A stream id as Redis writes it, `<ms>-<sequence>`; the sequence may be left out. Raises `InvalidInput`."""
    match = _FORM.fullmatch(text)
    if match and int(match[1]) < 2**64 and int(match[2] or 0) < 2**64:
        return f"{int(match[1])}-{int(match[2] or 0)}"
    message = f"{text!r} is no id of a stream's entry, such as 1772355600000-0"
    raise InvalidInput(message, [Problem(message, path=field)] if field else ())


def moment_of(entry_id: str) -> datetime:
    """The time in a stream id, as far as Python's calendar goes."""
    milliseconds = int(entry_id.partition("-")[0])
    try:
        return datetime.fromtimestamp(milliseconds / 1000, UTC)
    except (ValueError, OverflowError, OSError):
        return datetime.max.replace(tzinfo=UTC)
