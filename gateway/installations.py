"""Where the App is installed, and what was found there."""

from __future__ import annotations

from datetime import datetime

from fastapi import APIRouter

from shared.domain.permissions import Level
from shared.postgres.installations import list_installations as read_installations

from .auth import SignedIn
from .paging import Page
from .resources import Opened
from .schemas import Shown

router = APIRouter(tags=["installations"])


class ShownInstallation(Shown):
    """An installation of the App."""

    id: int
    account: str
    account_type: str
    repository_selection: str
    permissions: dict[str, Level]
    suspended_at: datetime | None
    updated_at: datetime


@router.get("/installations")
async def list_installations(resources: Opened, _: SignedIn) -> Page[ShownInstallation]:
    """Where the App is installed."""
    async with resources.pool.acquire() as conn:
        found = await read_installations(conn)
    return Page(items=[ShownInstallation.model_validate(each) for each in found], next_cursor=None)
