"""What a check of the App found: a line for each thing that can be wrong."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class CheckLine:
    """One thing looked at: what was found, and what to do where it is not `ok`."""

    name: str
    ok: bool
    detail: str
    advice: str = ""
