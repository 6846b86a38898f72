"""Tokens for targets: one for all repositories of a batch, so that a run of thousands needs few of them.

Where GitHub gives none for the batch, because one of its repositories is gone or is not the installation's any more,
each target asks for its own repository alone, and only those that are gone fail.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from shared.domain.ids import InstallationId, RunId
from shared.domain.installation import InstallationToken, TokenRequest, TokenScope
from shared.domain.operation import Service
from shared.domain.permissions import Permissions
from shared.domain.principal import Principal
from shared.domain.target import Target
from shared.errors import GitHubInvalid, GitHubUnauthorized, NotPermitted
from shared.postgres import targets
from shared.postgres.pool import Pool

if TYPE_CHECKING:
    from .context import CampaignsContext

MOST_IN_A_SCOPE = 500
"""GitHub takes no more repositories for one token."""

_MOST_REMEMBERED = 10_000

Batch = tuple[RunId, InstallationId, int]


class BatchScopes:
    """The repositories of batches, and for which batches GitHub gives no token; one for a process."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._repository_ids: OrderedDict[Batch, tuple[int, ...]] = OrderedDict()

    async def repository_ids(self, target: Target) -> tuple[int, ...]:
        """The repositories that share a token with the target's, its own among them."""
        batch = (target.run_id, target.installation_id, target.batch)
        if batch not in self._repository_ids:
            async with self._pool.acquire() as conn:
                found = await targets.repository_ids_of_batch(conn, *batch)
            self._remember(batch, found if len(found) <= MOST_IN_A_SCOPE else ())
        found = self._repository_ids[batch]
        return found if target.repository_id in found else (target.repository_id,)

    def refuse(self, target: Target) -> None:
        """From now on the targets of this batch have a token each."""
        self._remember((target.run_id, target.installation_id, target.batch), ())

    def _remember(self, batch: Batch, repository_ids: tuple[int, ...]) -> None:
        self._repository_ids[batch] = repository_ids
        if len(self._repository_ids) > _MOST_REMEMBERED:
            self._repository_ids.popitem(last=False)


@asynccontextmanager
async def repository_token(
    ctx: CampaignsContext, target: Target, permissions: Permissions, *, purpose: str
) -> AsyncIterator[str]:
    """A token for the target's repository and those of its batch. One that GitHub refuses is forgotten.

    Raises what `TokenClient.get` raises.
    """
    repository_ids = await ctx.scopes.repository_ids(target)
    try:
        token = await _get(ctx, target, permissions, repository_ids, purpose=purpose)
    except (NotPermitted, GitHubInvalid):
        if len(repository_ids) == 1:
            raise
        ctx.scopes.refuse(target)
        token = await _get(ctx, target, permissions, (target.repository_id,), purpose=purpose)
    try:
        yield token.token
    except GitHubUnauthorized:
        await ctx.tokens.invalidate(token)
        raise


async def _get(
    ctx: CampaignsContext, target: Target, permissions: Permissions, repository_ids: tuple[int, ...], *, purpose: str
) -> InstallationToken:
    what = target.repository if len(repository_ids) == 1 else f"{len(repository_ids)} repositories"
    return await ctx.tokens.get(
        TokenRequest(
            scope=TokenScope(
                installation_id=target.installation_id, permissions=permissions, repository_ids=repository_ids
            ),
            requester=Principal.of_service(Service.CAMPAIGNS),
            purpose=f"{purpose} {what}",
            run_id=target.run_id,
        )
    )
