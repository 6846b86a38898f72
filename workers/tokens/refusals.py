"""Installations that GitHub gave no token for, suspended or uninstalled: remembered a while by all tokens workers.

So a thousand targets of a suspended installation cost one request, not a thousand. What is remembered is forgotten
when a webhook or the sweep finds that the installation changed.
"""

from __future__ import annotations

import json
from datetime import timedelta

from redis.asyncio import Redis

from shared.domain.ids import InstallationId
from shared.domain.operation import Service
from shared.errors import InstallationNotFound, InstallationSuspended
from shared.streams.keys import PREFIX
from shared.streams.token_errors import error_answer, error_from_answer


class Refusals:
    """Remembers a refusal for `remembered_for`, since no webhook may come that tells of its end."""

    def __init__(self, redis: Redis, *, remembered_for: timedelta = timedelta(minutes=1)) -> None:
        self._redis = redis
        self._remembered_for = remembered_for

    async def check(self, installation_id: InstallationId) -> None:
        """Raises `InstallationSuspended` or `InstallationNotFound` where GitHub said so lately."""
        refusal = await self._redis.get(_name(installation_id))
        if refusal:
            raise error_from_answer(json.loads(refusal)["error"])

    async def remember(
        self, installation_id: InstallationId, error: InstallationSuspended | InstallationNotFound
    ) -> None:
        """GitHub said so now."""
        await self._redis.set(_name(installation_id), json.dumps(error_answer(error)), px=self._remembered_for)

    async def forget(self, installation_id: InstallationId) -> None:
        """GitHub may say otherwise now."""
        await self._redis.delete(_name(installation_id))


def _name(installation_id: InstallationId) -> str:
    return f"{PREFIX}:{{{Service.TOKENS}}}:refused:{installation_id}"
