"""The index of an installation's repositories: how complete and how current it is."""

from __future__ import annotations

from datetime import datetime

from fastapi import APIRouter, Response
from pydantic import Field

from shared.clock import utcnow
from shared.domain import commands
from shared.domain.ids import InstallationId, new_id
from shared.domain.installation import Installation
from shared.domain.repository_index import RepositoryIndex
from shared.postgres import installations, repositories

from .auth import SignedIn
from .installations import GitHubId
from .paging import Page
from .resources import Opened
from .schemas import Shown, ShownOperation
from .versions import V1
from .waiting import Waits

router = APIRouter(prefix="/installations", tags=["installations"])


class ShownIndex(Shown):
    """The index of an installation's repositories, from which listings are answered once it is complete."""

    installation_id: int
    account: str
    repositories: int = Field(description="how many it has now")
    completed_at: datetime | None = Field(description="when GitHub was last asked for all; none: never yet")
    swept_at: datetime | None = Field(description="when it was last known to be current")
    age_seconds: float | None = Field(description="since then")
    listing_since: datetime | None = Field(description="when the full listing began that is under way")
    error: str | None = Field(description="why it could not be swept last")


@router.get("/indexes")
async def list_indexes(resources: Opened, _: SignedIn) -> Page[ShownIndex]:
    """How current the index of each installation's repositories is."""
    async with resources.pool.acquire() as conn:
        installed = await installations.list_installations(conn)
        indexes = {each.installation_id: each for each in await repositories.list_indexes(conn)}
        counts = await repositories.count_by_installation(conn)
    items = [show_index(each, indexes.get(each.id), counts.get(each.id, 0), now=utcnow()) for each in installed]
    return Page(items=items, next_cursor=None)


@router.get("/{installation_id}/index")
async def get_index(installation_id: GitHubId, resources: Opened, _: SignedIn) -> ShownIndex:
    """How current the index of an installation's repositories is."""
    async with resources.pool.acquire() as conn:
        installation = await installations.get_installation(conn, InstallationId(installation_id))
        found = await repositories.fetch_index(conn, installation.id)
        count = await repositories.count_repositories(conn, installation.id)
    return show_index(installation, found, count, now=utcnow())


@router.post("/{installation_id}/index", status_code=202, responses={200: {"model": ShownOperation}})
async def refresh_index(
    installation_id: GitHubId, response: Response, resources: Opened, principal: SignedIn, waiting: Waits
) -> ShownOperation:
    """Ask GitHub for all of an installation's repositories anew, as happens by itself once a day."""
    async with resources.outbox.transaction() as work:
        installation = await installations.get_installation(work.conn, InstallationId(installation_id))
        command = commands.sweep_repositories(
            installation.id, period=str(new_id()), is_full=True, actor=principal.actor
        )
        [operation] = await work.accept(command)
    response.headers["Location"] = f"{V1}/operations/{operation.id}"
    return ShownOperation.model_validate(await waiting.for_operation(operation))


def show_index(installation: Installation, found: RepositoryIndex | None, count: int, *, now: datetime) -> ShownIndex:
    """What is shown of an index, which may not have begun."""
    index = found or RepositoryIndex(installation_id=installation.id, account=installation.account)
    return ShownIndex(
        installation_id=installation.id,
        account=index.account,
        repositories=count,
        completed_at=index.completed_at,
        swept_at=index.swept_at,
        age_seconds=max((now - index.swept_at).total_seconds(), 0) if index.swept_at else None,
        listing_since=index.sweep_started_at,
        error=index.error,
    )
