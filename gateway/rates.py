"""How often somebody may ask. Buckets are in Redis, shared by all gateways; where Redis is away nobody is limited.

Who sends a credential has a bucket of its own, everybody else one for each address. Health, schemas, assets and
GitHub's webhooks are not limited.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from dataclasses import dataclass
from math import ceil

import structlog
from redis.exceptions import RedisError
from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.observability.metrics import RATE_LIMITED, RATE_LIMITS_SKIPPED
from shared.streams.rates import RateLimits, Taken

from . import problems
from .resources import Resources
from .sessions import cookie_of
from .versions import V1

log = structlog.stdlib.get_logger(__name__)

PATIENCE_SECONDS = 0.5
"""How long Redis may take to answer."""

RECOVERY_SECONDS = 1.0
"""How long Redis is not asked after it did not answer: nobody's request waits for it meanwhile."""

_SIGN_IN = "/ui/sign-in"


@dataclass(frozen=True, kw_only=True)
class _Allowance:
    identity: str
    policy: str
    rate: float
    burst: int

    @property
    def headers(self) -> dict[str, str]:
        return {"RateLimit-Policy": f'"{self.policy}";q={self.burst};w={max(ceil(self.burst / self.rate), 1)}'}


class RateLimit:
    """Refuses with 429 who asks too often, and tells everybody what is left (draft-ietf-httpapi-ratelimit-headers)."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._asks_again_at = 0.0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        resources: Resources = scope["app"].state.resources
        allowance = _allowance(scope, resources)
        taken = await self._take(resources, allowance) if allowance else None
        if allowance is None or taken is None:
            await self._app(scope, receive, send)
            return
        headers = {**allowance.headers, "RateLimit": f'"{allowance.policy}";r={taken.left};t={ceil(taken.seconds)}'}
        if not taken.is_allowed:
            RATE_LIMITED.labels(allowance.policy).inc()
            headers["Retry-After"] = str(max(ceil(taken.seconds), 1))
            detail = f"more than {allowance.rate:g} requests a second, beyond {allowance.burst} at once"
            await problems.problem(problems.RATE_LIMITED, detail, headers=headers)(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(headers)
            await send(message)

        await self._app(scope, receive, send_with_headers)

    async def _take(self, resources: Resources, allowance: _Allowance) -> Taken | None:
        """None where Redis is away, or was a moment ago."""
        if time.monotonic() < self._asks_again_at:
            RATE_LIMITS_SKIPPED.inc()
            return None
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                return await RateLimits(resources.redis).take(
                    allowance.identity, rate=allowance.rate, burst=allowance.burst
                )
        except (RedisError, OSError, TimeoutError) as error:
            log.warning("rate_limits_skipped", error=str(error))
            RATE_LIMITS_SKIPPED.inc()
            self._asks_again_at = time.monotonic() + RECOVERY_SECONDS
            return None


def _allowance(scope: Scope, resources: Resources) -> _Allowance | None:
    """Whose bucket a request takes of; None where it is not limited."""
    path: str = scope["path"]
    is_sign_in = (path == _SIGN_IN and scope["method"] == "POST") or path.startswith(f"{_SIGN_IN}/")
    if not path.startswith(f"{V1}/") and not is_sign_in:
        return None
    settings = resources.settings
    credential = None if is_sign_in else _credential(scope, resources)
    if credential:
        # the digest, since whoever could name another's bucket could empty it
        identity = f"key:{hashlib.sha256(credential.encode()).hexdigest()[:32]}"
        policy, rate, burst = "key", settings.rate_per_second, settings.rate_burst
    else:
        identity = f"address:{(scope.get('client') or ('',))[0]}"
        policy, rate, burst = "address", settings.rate_anonymous_per_second, settings.rate_anonymous_burst
    return _Allowance(identity=identity, policy=policy, rate=rate, burst=burst) if rate else None


def _credential(scope: Scope, resources: Resources) -> str | None:
    connection = HTTPConnection(scope)
    return connection.headers.get("authorization") or connection.cookies.get(cookie_of(resources))
