"""Checks of a process and of what it stands on, and the probes that ask them.

    probes = Probes(ready=[postgres_check(pool), redis_check(redis)], beside=[Check("github", reach.ask)])
    report = await probes.health()
    report.is_healthy, report.checks

Checks are asked at the same time, each within `PATIENCE_SECONDS`. An answer is kept for a moment and given to everyone
who asks meanwhile, so that however many probe, what is checked notices nothing of it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, TypeAlias

import asyncpg
from redis.asyncio import Redis
from redis.exceptions import RedisError

from ..errors import OctobatchError
from .redaction import redact

PATIENCE_SECONDS = 2.0
KEPT_SECONDS = 1.0

Question: TypeAlias = Callable[[], Awaitable[str]]
"""Gives what is worth telling, which is mostly nothing; raises where something is wrong."""


class Unhealthy(OctobatchError):
    """What a check found."""


@dataclass(frozen=True, kw_only=True)
class Health:
    """The answer of one check; `detail` says what is wrong, or else what is worth telling, and never a secret."""

    name: str
    is_healthy: bool
    duration_ms: float
    detail: str = ""


class Check:
    """A question, asked at most once in `kept_seconds`."""

    def __init__(self, name: str, question: Question, *, kept_seconds: float = KEPT_SECONDS) -> None:
        self.name = name
        self._question = question
        self._kept_seconds = kept_seconds
        self._asking: asyncio.Task[Health] | None = None
        self._answered_at = 0.0

    async def answer(self) -> Health:
        """The answer that is kept still, or a new one."""
        is_old = time.monotonic() - self._answered_at >= self._kept_seconds
        if self._asking is None or (self._asking.done() and is_old):
            self._asking = asyncio.create_task(self._ask())
        return await asyncio.shield(self._asking)  # others may wait for it too

    async def _ask(self) -> Health:
        started = time.monotonic()
        is_healthy = False
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                detail = await self._question()
            is_healthy = True
        except TimeoutError:
            detail = f"no answer within {PATIENCE_SECONDS:g} s"
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, RedisError, OctobatchError) as error:
            detail = str(error) or type(error).__name__
        self._answered_at = time.monotonic()
        duration_ms = round((self._answered_at - started) * 1000, 1)
        return Health(name=self.name, is_healthy=is_healthy, duration_ms=duration_ms, detail=redact(detail))


@dataclass(frozen=True, kw_only=True)
class Report:
    """What the checks answered."""

    checks: tuple[Health, ...]

    @property
    def is_healthy(self) -> bool:
        """Whether all are."""
        return all(check.is_healthy for check in self.checks)

    def shown(self, word: str) -> dict[str, Any]:
        """As JSON; `word` says what it is that the process is, or is not."""
        return {word: self.is_healthy, "checks": [asdict(check) for check in self.checks]}


@dataclass(frozen=True, kw_only=True)
class Probes:
    """The checks of a process: those without which it can do nothing, and what else there is to tell."""

    ready: Sequence[Check]
    beside: Sequence[Check] = ()

    async def readiness(self) -> Report:
        """Whether the process can do its work."""
        return await _ask_all(self.ready)

    async def health(self) -> Report:
        """The whole picture."""
        return await _ask_all([*self.ready, *self.beside])


async def _ask_all(checks: Sequence[Check]) -> Report:
    return Report(checks=tuple(await asyncio.gather(*(check.answer() for check in checks))))


def postgres_check(pool: asyncpg.Pool[asyncpg.Record]) -> Check:
    """Whether Postgres answers a query."""

    async def ask() -> str:
        await pool.fetchval("SELECT 1")
        return ""

    return Check("postgres", ask)


def redis_check(redis: Redis) -> Check:
    """Whether Redis answers a ping."""

    async def ask() -> str:
        await redis.ping()  # pyright: ignore
        return ""

    return Check("redis", ask)
