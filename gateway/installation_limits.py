"""What is left of GitHub's limits for an installation: what our workers used, and what GitHub said."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from enum import StrEnum

from fastapi import APIRouter
from pydantic import BaseModel, Field

from shared.clock import utcnow
from shared.domain.ids import InstallationId
from shared.postgres import installations
from shared.streams.budgets import Budgets
from shared.streams.github_budgets import QUOTAS, WRITES, github_windows, identity_of

from .auth import SignedIn
from .installations import GitHubId
from .resources import Opened, Resources
from .streams.acting import redis_as_unavailable

router = APIRouter(prefix="/installations", tags=["installations"])


class LimitKind(StrEnum):
    """Who counts."""

    KEPT = "kept"
    TOLD = "told"


class ShownLimit(BaseModel):
    """One limit, and what is left of it."""

    name: str
    kind: LimitKind = Field(description="`kept` by our workers before they ask, or `told` by GitHub in its answers")
    limit: int
    left: int
    free_at: datetime | None = Field(description="when all of it is left again, if nothing more is used")


class ShownLimits(BaseModel):
    """GitHub's limits for one installation. Those that GitHub tells of are there once it has answered."""

    installation_id: int
    paused_until: datetime | None = Field(description="GitHub asked for a pause of everything")
    writes_paused_until: datetime | None = Field(description="GitHub asked for a pause of writing; reading goes on")
    limits: list[ShownLimit]


@router.get("/{installation_id}/limits")
async def get_limits(installation_id: GitHubId, resources: Opened, _: SignedIn) -> ShownLimits:
    """What is left of GitHub's limits for an installation, of all workers together."""
    async with resources.pool.acquire() as conn:
        installation = await installations.get_installation(conn, InstallationId(installation_id))
    return await limits_of(resources, installation.id)


async def limits_of(resources: Resources, installation_id: InstallationId) -> ShownLimits:
    """The limits now; raises `Unavailable` where Redis does not answer."""
    settings = resources.settings
    budgets = Budgets(resources.redis, github_windows(settings) if settings.keeps_github_limits else {})
    with redis_as_unavailable():
        usage = await budgets.usage(identity_of(installation_id), quotas=QUOTAS, writes=WRITES)
    now = utcnow()

    def then(seconds: float) -> datetime | None:
        return now + timedelta(seconds=seconds) if seconds else None

    def all_limits() -> Iterator[ShownLimit]:
        for each in usage.windows:
            left, free_at = max(each.limit - each.used, 0), then(each.seconds_until_free)
            yield ShownLimit(name=each.name, kind=LimitKind.KEPT, limit=each.limit, left=left, free_at=free_at)
        for each in usage.quotas:
            free_at = then(each.seconds_until_reset)
            yield ShownLimit(
                name=each.name, kind=LimitKind.TOLD, limit=each.limit, left=each.remaining, free_at=free_at
            )

    return ShownLimits(
        installation_id=installation_id,
        paused_until=then(usage.paused_seconds),
        writes_paused_until=then(usage.writes_paused_seconds),
        limits=list(all_limits()),
    )
