"""Where the App is installed, what was found there against what is expected, and what happened to it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Path
from pydantic import Field

from shared.domain.drift import InstallationEventType
from shared.domain.ids import InstallationId
from shared.domain.permissions import Level
from shared.postgres import installations
from shared.postgres.installation_events import page_events
from shared.streams.installations import SYNC_INSTALLATIONS, ask_about_installations

from .auth import SignedIn
from .paging import Cursor, Limit, Page, id_in, page
from .resources import Opened
from .schemas import Shown

router = APIRouter(prefix="/installations", tags=["installations"])

GitHubId = Annotated[int, Path(ge=1, lt=2**63)]


class ShownInstallation(Shown):
    """An installation of the App."""

    id: int
    account: str
    account_type: str
    repository_selection: str
    permissions: dict[str, Level]
    missing: dict[str, Level] = Field(description="what is expected and not granted")
    excessive: dict[str, Level] = Field(description="what is granted beyond what is expected")
    suspended_at: datetime | None
    webhook_url: str | None = Field(description="where GitHub sends its events")
    webhook_events: list[str]
    updated_at: datetime = Field(description="when it changed on GitHub")
    checked_at: datetime | None = Field(description="when GitHub was asked last")


class ShownInstallationEvent(Shown):
    """Something that happened to an installation."""

    id: UUID
    type: InstallationEventType
    details: dict[str, Any]
    occurred_at: datetime


class SyncOutcome(Shown):
    """What asking GitHub for all installations gave."""

    installations: int = Field(description="how many there are")
    changes: int = Field(description="events that were recorded by it")


@router.get("")
async def list_installations(resources: Opened, _: SignedIn) -> Page[ShownInstallation]:
    """Where the App is installed."""
    async with resources.pool.acquire() as conn:
        found = await installations.list_installations(conn)
    return Page(items=[ShownInstallation.model_validate(each) for each in found], next_cursor=None)


@router.post("/sync")
async def sync_installations(resources: Opened, _: SignedIn) -> SyncOutcome:
    """Ask GitHub now, as happens by itself every five minutes and on its webhooks."""
    return SyncOutcome(**await ask_about_installations(resources.requests, SYNC_INSTALLATIONS, {}))


@router.get("/{installation_id:int}")  # nothing but a number, so that other names are other routes
async def get_installation(installation_id: GitHubId, resources: Opened, _: SignedIn) -> ShownInstallation:
    """One installation."""
    async with resources.pool.acquire() as conn:
        found = await installations.get_installation(conn, InstallationId(installation_id))
    return ShownInstallation.model_validate(found)


@router.get("/{installation_id}/events")
async def list_installation_events(
    installation_id: GitHubId, resources: Opened, _: SignedIn, limit: Limit = 50, cursor: Cursor = None
) -> Page[ShownInstallationEvent]:
    """What happened to an installation, newest first; kept when it is uninstalled."""
    before = id_in(cursor)
    async with resources.pool.acquire() as conn:
        found = await page_events(conn, InstallationId(installation_id), before=before, limit=limit + 1)
    return page(found, limit=limit, position=lambda each: each.id, show=ShownInstallationEvent.model_validate)
