"""What all pages share: their frame, who looks at them, and words that templates use.

A page is a route that answers with `render`. What changes something is asked of the API by the page's script (`api` in
`assets/kit.js`), so that a page can do nothing that the API cannot.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote

from fastapi import FastAPI, Request, Response
from fastapi.responses import RedirectResponse
from fastapi.staticfiles import StaticFiles
from fastapi.templating import Jinja2Templates

from shared.domain.principal import Principal
from shared.domain.target import TargetState

from ..access.rules import RULES, Of
from ..auth import visitor
from ..resources import Resources

FOLDER = Path(__file__).parent

PAGE = 100
"""Rows of a table on one page."""


@dataclass(frozen=True)
class Room:
    """An entry of the navigation. Pressed after `g`, its `key` goes there."""

    name: str
    address: str
    key: str
    is_for_operators: bool = False


ROOMS = (
    Room("Campaigns", "/", "c"),
    Room("Targets", "/ui/targets", "t"),
    Room("Selections", "/ui/selections", "l"),
    Room("Bulk operations", "/ui/bulk-operations", "b"),
    Room("Installations", "/ui/installations", "i", is_for_operators=True),
    Room("Streams", "/ui/streams", "s", is_for_operators=True),
    Room("Tokens", "/ui/tokens", "k", is_for_operators=True),
    Room("Webhooks", "/ui/webhooks", "w", is_for_operators=True),
    Room("API keys", "/ui/api-keys", "p", is_for_operators=True),
    Room("Audit", "/ui/audit", "a", is_for_operators=True),
    Room("Health", "/ui/health", "h", is_for_operators=True),
)
"""In the order of the navigation."""

SEGMENTS = (
    TargetState.MERGED,
    TargetState.OPEN,
    TargetState.DRAFT,
    TargetState.PREPARED,
    TargetState.PUBLISHING,
    TargetState.PREPARING,
    TargetState.PENDING,
    TargetState.CONFLICTED,
    TargetState.BLOCKED,
    TargetState.FAILED,
)
"""The states of a bar of progress, from what is done to what needs somebody; those that follow are drawn in grey."""

templates = Jinja2Templates(FOLDER / "templates")


def mount_assets(app: FastAPI) -> None:
    """Serves style sheets, scripts and the libraries that they use."""
    app.mount("/assets", StaticFiles(directory=FOLDER / "assets"))


async def render(
    request: Request, resources: Resources, template: str, *, room: str = "Campaigns", **context: Any
) -> Response:
    """A page for whoever signed in. `room` is marked in the navigation.

    A part of a page that htmx asks for is a template of its own, rendered by the same call.
    """
    session = await visitor(request, resources)
    frame: dict[str, Any] = {
        "principal": session.principal if session else None,
        "csrf_token": session.csrf_token if session else "",
        "rooms": [each for each in ROOMS if session and may(session.principal, f"GET {each.address}")],
        "room": room,
        "may": partial(may, session.principal) if session else None,
    }
    return templates.TemplateResponse(request, template, frame | context)


def may(principal: Principal, route: str) -> bool:
    """Whether a route, named as in the table of rules, is for the principal: what is not is not shown.

    Of a route within a namespace it says whether there is any in which it is.
    """
    rule = RULES[route]
    return principal.allows(rule.role) if rule.of is Of.ALL else principal.allows_somewhere(rule.role)


def wants_part(request: Request) -> bool:
    """Whether htmx asks for a part of the page, and not for all of it to go back to."""
    return "hx-request" in request.headers and "hx-history-restore-request" not in request.headers


async def to_sign_in(request: Request, _: Exception) -> Response:
    """Where somebody signs in, to come back to what was asked for; htmx is told to leave the page for it."""
    asked = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    address = f"/ui/sign-in?next={quote(asked)}"
    if "hx-request" in request.headers:
        return Response(status_code=204, headers={"HX-Redirect": "/ui/sign-in"})
    return RedirectResponse(address, 303)


def _moment(at: datetime | None) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC") if at else ""


def _number(count: float) -> str:
    return f"{count:,}"


def _took(seconds: float) -> str:
    """A duration in words: two units at most."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    parts = [(days, "d"), (hours, "h"), (minutes, "min"), (rest, "s")]
    first = next(index for index, (count, _) in enumerate(parts) if count)
    return " ".join(f"{count} {unit}" for count, unit in parts[first : first + 2] if count)


def _segments(counts: dict[TargetState, int]) -> list[dict[str, Any]]:
    """The parts of a bar, each with where it begins and how wide it is, in hundredths of the bar."""
    total = sum(counts.values()) or 1
    parts: list[dict[str, Any]] = []
    begins = 0.0
    for state in [*SEGMENTS, *(each for each in TargetState if each not in SEGMENTS)]:
        if count := counts.get(state, 0):
            width = 100 * count / total
            parts.append({"state": state.value, "count": count, "x": round(begins, 3), "width": round(width, 3)})
            begins += width
    return parts


_filters: dict[str, Any] = templates.env.filters  # pyright: ignore[reportAssignmentType] -- typed as its defaults are
_filters |= {"moment": _moment, "number": _number, "segments": _segments, "took": _took}
