"""Installations of the App: whether they are well, what is left of GitHub's limits, and what happened to them."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from shared.clock import utcnow
from shared.domain.drift import InstallationEvent
from shared.domain.ids import InstallationId
from shared.domain.installation import Installation
from shared.domain.permissions import Level
from shared.domain.scopes import installation_page as address_at_github
from shared.errors import Unavailable
from shared.github.addresses import addresses_of
from shared.postgres import installations, repositories
from shared.postgres.installation_events import page_events

from ..installation_index import show_index
from ..installation_limits import ShownLimit, ShownLimits, limits_of
from ..installations import GitHubId, ShownInstallationEvent
from ..paging import Cursor, id_in, page
from ..resources import Opened, Resources
from .kit import render

router = APIRouter(include_in_schema=False)

ROOM = "Installations"

EVENTS = 50
"""Events on one page."""


@router.get("/ui/installations")
async def installations_page(request: Request, resources: Opened) -> Response:
    """Where the App is installed; what needs somebody comes first."""
    async with resources.pool.acquire() as conn:
        found = await installations.list_installations(conn)
        indexes = {each.installation_id: each for each in await repositories.list_indexes(conn)}
        counts = await repositories.count_by_installation(conn)
    now = utcnow()
    rows = [
        {
            "installation": each,
            "index": show_index(each, indexes.get(each.id), counts.get(each.id, 0), now=now),
            "scarcest": _scarcest(await _limits(resources, each.id)),
        }
        for each in sorted(found, key=lambda each: not _is_troubled(each))
    ]
    return await render(request, resources, "installations.html", room=ROOM, rows=rows)


@router.get("/ui/installations/{installation_id}")
async def installation_page(
    request: Request, installation_id: GitHubId, resources: Opened, cursor: Cursor = None
) -> Response:
    """One installation."""
    before = id_in(cursor)
    async with resources.pool.acquire() as conn:
        found = await installations.get_installation(conn, InstallationId(installation_id))
        index = await repositories.fetch_index(conn, found.id)
        count = await repositories.count_repositories(conn, found.id)
        events = await page_events(conn, found.id, before=before, limit=EVENTS + 1)
    shown = page(events, limit=EVENTS, position=lambda each: each.id, show=ShownInstallationEvent.model_validate)
    return await render(
        request,
        resources,
        "installation.html",
        room=ROOM,
        installation=found,
        at_github=address_at_github(addresses_of(resources.settings.github_api_base).web, found),
        limits=await _limits(resources, found.id),
        index=show_index(found, index, count, now=utcnow()),
        permissions=_compared(found),
        events=events[:EVENTS],
        words=_in_words,
        next_cursor=shown.next_cursor,
    )


async def _limits(resources: Resources, installation_id: InstallationId) -> ShownLimits | None:
    try:
        return await limits_of(resources, installation_id)
    except Unavailable:
        return None


def _scarcest(limits: ShownLimits | None) -> ShownLimit | None:
    return min(limits.limits, key=lambda each: each.left / max(each.limit, 1), default=None) if limits else None


def _is_troubled(installation: Installation) -> bool:
    return installation.has_drifted or installation.suspended_at is not None


def _compared(installation: Installation) -> list[tuple[str, Level | None, str]]:
    """Each permission with the level that is granted, and what is to be said of it."""
    missing = {name: f"{level} is expected" for name, level in installation.missing.items()}
    excessive = dict.fromkeys(installation.excessive, "beyond what is expected")
    said = {**missing, **excessive}
    names = sorted({*installation.permissions, *said}, key=lambda name: (name not in said, name))
    return [(name, installation.permissions.get(name), said.get(name, "")) for name in names]


def _in_words(event: InstallationEvent) -> str:
    """What an event says beyond its type."""
    lacks, beyond = (
        ", ".join(f"{name}: {level}" for name, level in event.details.get(kind, {}).items())
        for kind in ("missing", "excessive")
    )
    parts = [f"lacks {lacks}" if lacks else "", f"grants {beyond} beyond what is expected" if beyond else ""]
    return "; ".join(filter(None, parts))
