"""Tokens for requesters: from the cache where one is good, else from GitHub, once for all who ask at that moment."""

from __future__ import annotations

import asyncio
from weakref import WeakValueDictionary

from shared.domain.ids import InstallationId
from shared.domain.installation import InstallationToken, TokenScope
from shared.github.app_auth import AppAuth
from shared.streams.tokens import token_sha256

from .cache import TokenCache, cache_key


class Minting:
    """Gives tokens of the App's installations. At most one is minted at a time for the same scope."""

    def __init__(self, app: AppAuth, cache: TokenCache, *, base_url: str) -> None:
        self._app = app
        self._cache = cache
        self._base_url = base_url
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def token_for(self, scope: TokenScope) -> InstallationToken:
        """A token with just what is asked for; raises what `AppAuth.mint` does."""
        key = self._key(scope)
        lock = self._locks.setdefault(key, asyncio.Lock())
        async with lock:
            token = await self._cache.get(key)
            if token is None:
                token = await self._app.mint(scope)
                await self._cache.put(key, token)
            return token

    async def forget(self, scope: TokenScope, *, sha256: str) -> None:
        """Gives this token of the scope to nobody any more; a newer one stays."""
        key = self._key(scope)
        token = await self._cache.get(key)
        if token and token_sha256(token.token) == sha256:
            await self._cache.forget(key)

    async def installation_changed(self, installation_id: InstallationId) -> None:
        """To be told when an installation was suspended, unsuspended, uninstalled, or grants something else."""

    def _key(self, scope: TokenScope) -> str:
        return cache_key(scope, base_url=self._base_url, app_id=self._app.app_id)
