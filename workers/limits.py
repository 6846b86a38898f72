"""GitHub's limits, kept by all workers together: budgets, pauses and concurrency of each installation, in Redis, and
of the App itself, whose tokens cost 5 points each: 180 a minute, where it may spend 900.

A request that must wait raises `GitHubLimited` with the time to come again; the command is put off until then and
spends no attempt. What GitHub says in headers and refusals corrects what we think.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta

import structlog
from redis.asyncio import Redis

from shared.clock import utcnow
from shared.domain.ids import InstallationId
from shared.domain.installation import InstallationToken
from shared.errors import GitHubLimited
from shared.github.app_jwt import is_jwt
from shared.github.gate import Cost, Gate, OpenGate
from shared.github.graphql import RateLimit
from shared.github.limits import answered_at
from shared.observability import metrics
from shared.settings import WorkerSettings
from shared.streams.budgets import Budgets, Denial, Window
from shared.streams.github_budgets import (
    CODE_SEARCHES,
    CONTENT,
    GRAPHQL,
    REST,
    WRITES,
    github_windows,
    identity_of,
    identity_of_app,
)
from shared.streams.semaphores import Semaphore, SemaphoreTaken

log = structlog.stdlib.get_logger(__name__)

WAIT_FOR_PLACE_SECONDS = 0.5
PLACE_TAKEN_SECONDS = 1.0
MOST_TOKENS = 10_000


class SharedLimits:
    """A gate before GitHub, shared by every process on the same Redis."""

    def __init__(
        self, redis: Redis, *, windows: Mapping[str, Window], concurrent: int, app_id: str | None = None
    ) -> None:
        """`app_id` is the App whose JWTs are counted, for a process that signs them."""
        self._app = identity_of_app(app_id) if app_id else None
        self._redis = redis
        self._budgets = Budgets(redis, windows)
        self._concurrent = concurrent
        self._identities: OrderedDict[bytes, str] = OrderedDict()
        self._struck: set[str] = set()

    def know(self, token: InstallationToken) -> None:
        """Requests with this token count for its installation."""
        self._identities[_digest(token.token)] = identity_of(token.installation_id)
        if len(self._identities) > MOST_TOKENS:
            self._identities.popitem(last=False)

    @asynccontextmanager
    async def passing(self, token: str, cost: Cost) -> AsyncIterator[None]:
        """Holds one of the installation's (or the App's) places while the block runs; raises `GitHubLimited`."""
        identity = self._identity(token)
        if identity is None:
            yield
            return
        try:
            async with Semaphore(self._redis, identity, leases=self._concurrent).held(
                wait_seconds=WAIT_FOR_PLACE_SECONDS
            ):
                await self._reserve(identity, cost)
                yield
        except SemaphoreTaken as error:
            metrics.LEASE_WAITS.labels("github").inc()
            retry_at = utcnow() + timedelta(seconds=PLACE_TAKEN_SECONDS)
            raise GitHubLimited(str(error), retry_at=retry_at, secondary=False) from error

    async def wait_to_create(self, installation_id: InstallationId) -> None:
        """Raises `GitHubLimited` where no content can be created now; what is created is counted with its request."""
        identity = identity_of(installation_id)
        units: dict[str, int] = dict.fromkeys(CONTENT, 1)
        self._raise_if_denied(identity, await self._budgets.turn(identity, units, lane=WRITES))

    async def heard(self, token: str, cost: Cost, headers: Mapping[str, str], limit: GitHubLimited | None) -> None:
        """Corrects the quota, and pauses for all where GitHub says that it is too much."""
        identity = self._identity(token)
        if identity is None:
            return
        await self._learn(identity, headers)
        if limit and limit.secondary:
            await self._pause(identity, cost, headers)
        elif limit is None and cost.is_write and identity in self._struck:
            self._struck.discard(identity)
            await self._budgets.succeeded(identity)

    async def priced(self, token: str, rate: RateLimit, *, seconds_to_reset: float) -> None:
        """A query that cost more than the point that was reserved leaves less: what is left is learnt."""
        identity = self._identity(token)
        if identity is None:
            return
        metrics.GRAPHQL_POINTS.labels(identity).inc(rate.cost)
        await self._budgets.learn(
            identity, "graphql", limit=rate.limit, remaining=rate.remaining, seconds_to_reset=seconds_to_reset
        )

    async def _reserve(self, identity: str, cost: Cost) -> None:
        units = {GRAPHQL if cost.resource == "graphql" else REST: cost.points}
        if cost.resource == "code_search":
            units[CODE_SEARCHES] = 1
        if cost.creates:
            units |= dict.fromkeys(CONTENT, cost.creates)
        lane = WRITES if cost.is_write else ""
        denial = await self._budgets.reserve(identity, units, quotas={cost.resource: 1}, lane=lane)
        self._raise_if_denied(identity, denial)

    @staticmethod
    def _raise_if_denied(identity: str, denial: Denial | None) -> None:
        if denial:
            metrics.BUDGET_DENIALS.labels(denial.budget).inc()
            retry_at = utcnow() + timedelta(seconds=denial.retry_seconds)
            what = "is paused by GitHub" if denial.budget == "pause" else f"has used up its {denial.budget}"
            raise GitHubLimited(f"{identity} {what}", retry_at=retry_at, secondary=False)

    async def _learn(self, identity: str, headers: Mapping[str, str]) -> None:
        try:
            limit, remaining = int(headers["x-ratelimit-limit"]), int(headers["x-ratelimit-remaining"])
            resource, reset = headers["x-ratelimit-resource"], float(headers["x-ratelimit-reset"])
        except (KeyError, ValueError):
            return  # GitHub Enterprise Server without limits, or an endpoint that counts nothing
        # the reset is a moment of GitHub's clock: what counts is how far it is from GitHub's own Date
        here = answered_at(headers) or utcnow()
        metrics.BUDGET_LEFT.labels(identity, resource).set(remaining)
        await self._budgets.learn(
            identity, resource, limit=limit, remaining=remaining, seconds_to_reset=reset - here.timestamp()
        )

    async def _pause(self, identity: str, cost: Cost, headers: Mapping[str, str]) -> None:
        try:
            asked = float(headers["retry-after"])
        except (KeyError, ValueError):
            asked = None
        lane = WRITES if cost.is_write else ""  # a read that is too much stops everything
        seconds = await self._budgets.pause(identity, seconds=asked, lane=lane)
        self._struck.add(identity)
        log.warning("paused_by_github", identity=identity, lane=lane or "all", seconds=seconds)

    def _identity(self, token: str) -> str | None:
        return self._app if is_jwt(token) else self._identities.get(_digest(token))


def open_limits(settings: WorkerSettings, redis: Redis, *, app_id: str | None = None) -> SharedLimits | None:
    """The limits of the settings; None where the server has none, as GitHub Enterprise Server has by default."""
    if not settings.keeps_github_limits:
        return None
    return SharedLimits(
        redis, windows=github_windows(settings), concurrent=settings.github_concurrent_requests, app_id=app_id
    )


def gate_of(limits: SharedLimits | None) -> Gate:
    """The gate for a client."""
    return limits or OpenGate()


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
