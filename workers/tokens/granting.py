"""Granting a token: may who asks have it, is there one, and is it on record who holds it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from shared.domain.ids import InstallationId
from shared.domain.installation import Installation, InstallationToken, TokenRequest
from shared.domain.permissions import missing_permissions
from shared.domain.policy import Decision, Wanted, decide
from shared.domain.principal import PrincipalKind
from shared.domain.token import Grant, token_sha256
from shared.errors import InstallationNotFound, InstallationSuspended, NotPermitted, Unavailable
from shared.postgres import installations, policies, runs

from .context import TokensContext
from .installations import refresh

MOST_TRIES = 3
"""So often a token may be evicted between its finding and its grant, before somebody revokes faster than we mint."""


async def grant(ctx: TokensContext, request: TokenRequest) -> InstallationToken:
    """A token for the request. It is on record who holds it before it is handed out.

    Raises `NotPermitted`, saying what would be allowed, and what `Minting.token_for` raises.
    """
    installation = await _installation(ctx, request)
    request, decision = await judge(ctx, request, installation)
    if not decision.allowed:
        raise NotPermitted(decision.reason)
    scope = replace(request.scope, permissions=decision.permissions)
    try:
        for _ in range(MOST_TRIES):
            token = await ctx.minting.token_for(scope, min_ttl=request.min_ttl)
            if await ctx.record(Grant(request=request, token=token, policy=decision.policy)):
                return token
            await ctx.minting.forget(token_sha256(token.token))
    except (InstallationSuspended, InstallationNotFound):
        if installation.suspended_at is None:
            await refresh(ctx, installation.id)
        raise
    raise Unavailable("the tokens worker", "each token was revoked before it could be granted")


async def judge(ctx: TokensContext, request: TokenRequest, installation: Installation) -> tuple[TokenRequest, Decision]:
    """Whether the request is allowed, and the same request with its repositories named by their ids."""
    if request.requester.kind is PrincipalKind.SERVICE:
        dry_run = await _is_dry_run(ctx, request)
        return request, decide((), request.requester, _wanted(request, installation, ()), dry_run=dry_run)
    found = await ctx.repositories.find(installation, ids=request.scope.repository_ids, names=request.repository_names)
    async with ctx.pool.acquire() as conn:
        trusted = [each.policy for each in await policies.list_policies(conn)]
    decision = decide(trusted, request.requester, _wanted(request, installation, [each.name for each in found]))
    scope = replace(request.scope, repository_ids=tuple(sorted({each.id for each in found})))
    return replace(request, scope=scope), decision


async def _installation(ctx: TokensContext, request: TokenRequest) -> Installation:
    """What the table says of the installation; where that is too little, what GitHub says: it may have grown."""
    known = await _fetch(ctx, request.scope.installation_id)
    if known is None or known.deleted_at or missing_permissions(request.scope.permissions, known.permissions):
        await refresh(ctx, request.scope.installation_id)
        known = await _fetch(ctx, request.scope.installation_id)
    if known is None or known.deleted_at:
        raise InstallationNotFound(f"there is no installation {request.scope.installation_id} of the App")
    return known


async def _fetch(ctx: TokensContext, installation_id: InstallationId) -> Installation | None:
    async with ctx.pool.acquire() as conn:
        return await installations.fetch_installation(conn, installation_id)


async def _is_dry_run(ctx: TokensContext, request: TokenRequest) -> bool:
    if request.run_id is None:
        return False
    async with ctx.pool.acquire() as conn:
        return (await runs.get_run(conn, request.run_id)).dry_run


def _wanted(request: TokenRequest, installation: Installation, names: Sequence[str]) -> Wanted:
    return Wanted(
        account=installation.account,
        granted=installation.permissions,
        repositories=tuple(names),
        permissions=request.scope.permissions,
    )
