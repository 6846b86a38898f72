"""Routes that are to go: their answers and their description say since when, until when, and what to ask instead.

    @router.get("/old", **deprecated(since=date(2027, 1, 1), sunset=date(2027, 7, 1), instead="/v1/new"))

`Deprecation` is RFC 9745's header, `Sunset` RFC 8594's.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from email.utils import format_datetime
from typing import Any

_EXTENSION = "x-octobatch-deprecation"


def deprecated(*, since: date, sunset: date, instead: str) -> dict[str, Any]:
    """What a route is declared with besides; `sunset` is the first day on which it may be gone."""
    facts = {"since": since.isoformat(), "sunset": sunset.isoformat(), "instead": instead}
    return {"deprecated": True, "openapi_extra": {_EXTENSION: facts}}


def deprecation_headers(route: object) -> dict[str, str]:
    """The headers of a route's answers; none where it stays."""
    extra: dict[str, Any] = getattr(route, "openapi_extra", None) or {}
    facts = extra.get(_EXTENSION)
    if facts is None:
        return {}
    return {
        "Deprecation": f"@{int(_midnight(facts['since']).timestamp())}",
        "Sunset": format_datetime(_midnight(facts["sunset"]), usegmt=True),
        "Link": f'<{facts["instead"]}>; rel="successor-version"',
    }


def _midnight(day: str) -> datetime:
    return datetime.combine(date.fromisoformat(day), time(), UTC)
