"""Tokens that GitHub made just now: a replica that has not heard of one refuses it, and knows it some seconds later."""

from __future__ import annotations

import asyncio
import hashlib
import random
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import TypeVar

from ..errors import GitHubForbidden, GitHubUnauthorized
from .app_jwt import is_jwt

YOUNG_SECONDS = 5.0
"""So long after it is first used a token may be refused by a replica of GitHub that has not heard of it."""

_PAUSE_SECONDS = (0.2, 0.6)
_MOST_REMEMBERED_TOKENS = 10_000
T = TypeVar("T")


class TokenAges:
    """When each token was first used here. `now` tells seconds that only grow."""

    def __init__(self, *, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._first_used: OrderedDict[bytes, float] = OrderedDict()

    async def while_young(self, token: str, call: Callable[[], Awaitable[T]]) -> T:
        """What `call` gives, which asks with `token`: called again where the token is refused while it is young.

        A replica that has not heard of a token refuses it with 401, a down-scoped one with 403.
        """
        return await self.until_known(self._youth_left(token), call)

    async def until_known(self, seconds: float, call: Callable[[], Awaitable[T]]) -> T:
        """The same for a token that every replica knows in so many seconds.

        A refusal counts where its call began after that: git may take long to tell that it was refused.
        """
        known_at = self._now() + seconds
        while self._now() < known_at:
            try:
                return await call()
            except (GitHubUnauthorized, GitHubForbidden):
                await asyncio.sleep(random.uniform(*_PAUSE_SECONDS))  # noqa: S311
        return await call()

    def _youth_left(self, token: str) -> float:
        """Seconds for which a refusal of `token` may be a replica's ignorance; 0 for a JWT, which none must know."""
        if is_jwt(token):
            return 0.0
        digest = hashlib.sha256(token.encode()).digest()
        first_used = self._first_used.setdefault(digest, self._now())
        if len(self._first_used) > _MOST_REMEMBERED_TOKENS:
            self._first_used.popitem(last=False)
        return max(0.0, first_used + YOUNG_SECONDS - self._now())
