"""Tokens for requesters: from the vault where one is good, else from GitHub, once for all who ask in any process.

One mint at a time for a scope: in a process by a task that all wait for, between processes by a lease in Redis that is
renewed while GitHub is asked. Who waited for the lease finds the token in the vault. A token in the last sixth of its
life (ten minutes of an hour) is granted still, while its successor is minted in the background, so that nobody waits
for GitHub.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta

import structlog
from redis.asyncio import Redis

from shared.clock import utcnow
from shared.domain.ids import InstallationId
from shared.domain.installation import InstallationToken, TokenScope
from shared.domain.token import TokenSha256
from shared.errors import InstallationNotFound, InstallationSuspended, Unavailable
from shared.github.app_auth import AppAuth
from shared.observability import metrics
from shared.observability.redaction import redact
from shared.postgres import tokens
from shared.postgres.pool import Pool
from shared.postgres.tokens import TokensChosen
from shared.streams.semaphores import Semaphore, SemaphoreTaken
from shared.streams.tokens import SPARE
from workers.ending import end
from workers.retries import describe

from .refusals import Refusals
from .vault import Vault, scope_key

WAIT_SECONDS = 35.0
"""How long an asker waits for another's mint: longer than GitHub is given to answer, shorter than its own asker."""

LEASE_SECONDS = 6.0
"""How long others wait for a process that died while it minted; the lease is renewed while GitHub is asked."""

_log = structlog.get_logger(__name__)


class Minting:
    """Gives tokens of the App's installations."""

    def __init__(
        self, app: AppAuth, *, vault: Vault, refusals: Refusals, redis: Redis, pool: Pool, base_url: str
    ) -> None:
        self._app = app
        self._vault = vault
        self._refusals = refusals
        self._redis = redis
        self._pool = pool
        self._base_url = base_url
        self._minting: dict[tuple[str, timedelta], asyncio.Task[InstallationToken]] = {}
        self._refreshing: dict[str, asyncio.Task[None]] = {}

    async def token_for(self, scope: TokenScope, *, min_ttl: timedelta = timedelta()) -> InstallationToken:
        """A token with just what is asked for, which lives for `min_ttl` and a minute still, if GitHub's live so long.

        Raises what `AppAuth.mint` does, and `Unavailable` where another's mint takes too long.
        """
        key = scope_key(scope, base_url=self._base_url, app_id=self._app.app_id)
        token = await self._vault.current(key, min_ttl=min_ttl)
        if token is None:
            metrics.TOKEN_LOOKUPS.labels("minted").inc()
            return await self._mint_once(scope, key, min_ttl)
        metrics.TOKEN_LOOKUPS.labels("cached").inc()
        if _is_ageing(token):
            self._refresh(scope, key)
        return token

    async def forget(self, sha256: TokenSha256) -> None:
        """Grants a token that GitHub refuses to nobody any more; a newer one of its scope stays."""
        async with self._pool.acquire() as conn:
            await tokens.evict(conn, TokensChosen(sha256=sha256))
        await self._vault.evict(sha256)

    async def installation_changed(self, installation_id: InstallationId) -> None:
        """What was known of an installation holds no longer: refusals are forgotten, and its tokens granted no more.

        They may have less than it grants now, or nothing.
        """
        await self._refusals.forget(installation_id)
        async with self._pool.acquire() as conn:
            evicted = await tokens.evict(conn, TokensChosen(installation_id=installation_id))
        for sha256 in evicted:
            await self._vault.evict(sha256)

    async def close(self) -> None:
        """Ends what goes on in the background."""
        await end([*self._minting.values(), *self._refreshing.values()])

    async def _mint_once(self, scope: TokenScope, key: str, min_ttl: timedelta) -> InstallationToken:
        """One mint for all who ask in this process. It outlives them: a token that was paid for is kept."""
        wanted = (key, min_ttl)
        mint = self._minting.get(wanted)
        if mint is None:
            mint = self._minting[wanted] = asyncio.create_task(self._mint_alone(scope, key, min_ttl))
            mint.add_done_callback(lambda done: self._ended(wanted, done))
        return await asyncio.shield(mint)

    def _ended(self, wanted: tuple[str, timedelta], mint: asyncio.Task[InstallationToken]) -> None:
        del self._minting[wanted]
        if not mint.cancelled():
            mint.exception()  # looked at, since all who asked may have gone

    async def _mint_alone(self, scope: TokenScope, key: str, min_ttl: timedelta) -> InstallationToken:
        """One mint at a time for all processes; who waited finds the token of who was first."""
        try:
            async with self._lease(key).held(wait_seconds=WAIT_SECONDS):
                return await self._vault.current(key, min_ttl=min_ttl) or await self._mint(scope, key)
        except SemaphoreTaken as error:
            raise Unavailable("the tokens worker", "another process mints this token and does not finish") from error

    def _lease(self, key: str) -> Semaphore:
        return Semaphore(self._redis, f"mint:{key}", leases=1, lease_seconds=LEASE_SECONDS)

    async def _mint(self, scope: TokenScope, key: str) -> InstallationToken:
        await self._refusals.check(scope.installation_id)
        try:
            token = await self._app.mint(scope)
        except (InstallationSuspended, InstallationNotFound) as error:
            await self._refusals.remember(scope.installation_id, error)
            raise
        async with self._pool.acquire() as conn:
            await tokens.record_minted(conn, scope, token)
        await self._vault.keep(key, token)
        metrics.TOKENS_MINTED.inc()
        return token

    def _refresh(self, scope: TokenScope, key: str) -> None:
        if key not in self._refreshing:
            task = self._refreshing[key] = asyncio.create_task(self._mint_successor(scope, key))
            task.add_done_callback(lambda _: self._refreshing.pop(key, None))

    async def _mint_successor(self, scope: TokenScope, key: str) -> None:
        try:
            async with self._lease(key).held():
                token = await self._vault.current(key)
                if token is None or _is_ageing(token):
                    await self._mint(scope, key)
        except SemaphoreTaken:
            return  # somebody else is at it
        except Exception as error:  # whoever needs it then is told by its own request
            _log.warning("refresh_put_off", installation_id=scope.installation_id, reason=redact(describe(error)))


def _is_ageing(token: InstallationToken) -> bool:
    lifetime = token.expires_at - token.minted_at
    return token.expires_at - utcnow() < max(lifetime / 6, SPARE)
