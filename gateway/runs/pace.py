"""How soon GitHub's limits let a run end."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from redis.exceptions import RedisError

from shared.clock import utcnow
from shared.domain.ids import InstallationId
from shared.streams.budgets import Budgets
from shared.streams.github_budgets import CONTENT, WRITES, github_windows, identity_of

from ..resources import Resources


async def limits_allow_at(resources: Resources, unpublished: Mapping[InstallationId, int]) -> datetime | None:
    """When so many pull requests can be open at the earliest, each installation's beside the others'.

    None where none is to be opened, where the server has no limits, and where Redis is away.
    """
    if not unpublished or not resources.settings.keeps_github_limits:
        return None
    budgets = Budgets(resources.redis, github_windows(resources.settings))
    try:
        seconds = [
            await budgets.when(identity_of(installation_id), dict.fromkeys(CONTENT, count), lane=WRITES)
            for installation_id, count in unpublished.items()
        ]
    except (RedisError, OSError):
        return None
    return utcnow() + timedelta(seconds=max(seconds))
