"""Ending tokens before their time: those of a run that is over, and those that an operator wants ended.

First nobody is granted them any more, then their holders are counted, then GitHub is told. Whoever holds one still
is refused by GitHub from then on, and asks for another. Each step can be repeated: a revoked token is revoked.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

import structlog

from shared.clock import utcnow
from shared.domain.ids import OperationId, RunId
from shared.domain.operation import Service
from shared.domain.principal import Principal
from shared.domain.token import TokenSha256
from shared.errors import Defer, GitHubError, GitHubUnavailable, InstallationSuspended
from shared.observability import metrics
from shared.postgres import token_audit, tokens
from workers.runtime import Command

from .context import TokensContext

SWEEP_SECONDS = 5.0
"""How often runs that ended are looked for."""

TIDY_SECONDS = 3600.0
EXPIRED_KEPT = timedelta(days=1)

AT_ONCE = 8
AGAIN = timedelta(seconds=5)

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, kw_only=True)
class Why:
    """On whose behalf tokens are revoked, and for what."""

    requested_by: str
    purpose: str
    run_id: RunId | None = None
    operation_id: OperationId | None = None


async def revoke_tokens(ctx: TokensContext, command: Command) -> None:
    """Revokes the tokens that were evicted when the operation was accepted."""
    async with ctx.pool.acquire() as conn:
        evicted = await tokens.evicted_by(conn, command.operation_id)
    why = Why(requested_by=command.actor, purpose=str(command.payload["reason"]), operation_id=command.operation_id)
    try:
        await revoke(ctx, evicted, why)
    except (GitHubUnavailable, InstallationSuspended) as error:  # asked again until they end by themselves, at most
        raise Defer(utcnow() + AGAIN, f"not all tokens are revoked: {error}") from error


async def revoke_finished_runs(ctx: TokensContext) -> None:
    """Takes their tokens from runs that ended a while ago; those that nobody else holds are revoked."""
    async with ctx.pool.acquire() as conn:
        finished = await tokens.runs_with_tokens_to_revoke(conn, finished_for=ctx.revoke_after_run)
    for run_id in finished:
        async with ctx.pool.acquire() as conn, conn.transaction():
            evicted = await tokens.evict_unheld(conn, run_id)
        why = Why(requested_by=Principal.of_service(Service.TOKENS).actor, purpose="the run is over", run_id=run_id)
        try:
            await revoke(ctx, evicted, why)
        except GitHubError as error:  # the next sweep goes on, and other runs need not wait for it
            _log.warning("tokens_of_run_not_revoked", run_id=str(run_id), reason=str(error))
        else:
            _log.info("tokens_of_run_revoked", run_id=str(run_id), tokens=len(evicted))


async def revoke(ctx: TokensContext, evicted: Sequence[TokenSha256], why: Why) -> None:
    """Tells GitHub of tokens that Postgres says are evicted, some at a time; raises the first error, after the rest."""
    for sha256 in evicted:
        await ctx.vault.evict(sha256)
    places = asyncio.Semaphore(AT_ONCE)

    async def revoke_one(sha256: TokenSha256) -> None:
        async with places:
            await _revoke(ctx, sha256, why)

    outcomes = await asyncio.gather(*(revoke_one(each) for each in evicted), return_exceptions=True)
    for outcome in outcomes:
        if isinstance(outcome, BaseException):
            raise outcome


async def delete_expired(ctx: TokensContext) -> None:
    """Forgets the rows of tokens that ended a day ago."""
    async with ctx.pool.acquire() as conn:
        await tokens.delete_expired(conn, expired_for=EXPIRED_KEPT)


async def _revoke(ctx: TokensContext, sha256: TokenSha256, why: Why) -> None:
    kept = await ctx.vault.find(sha256)
    if kept:
        ctx.know(kept.token)
        await ctx.app.revoke(kept.token.token, minted_at=kept.token.minted_at)
    async with ctx.pool.acquire() as conn, conn.transaction():
        token = await tokens.mark_revoked(conn, sha256, is_lost=kept is None)
        if token is None:
            return  # by another process, or it ended meanwhile
        await token_audit.record_revocation(
            conn,
            token=token,
            requested_by=why.requested_by,
            purpose=why.purpose,
            run_id=why.run_id,
            operation_id=why.operation_id,
            reason=None if kept else "not revoked: Redis does not hold it any more; it ends by itself",
        )
    metrics.TOKENS_REVOKED.labels("revoked" if kept else "lost").inc()
    await ctx.vault.drop(sha256)
