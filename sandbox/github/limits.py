"""GitHub's documented limits, off until asked for (as GitHub Enterprise Server has them).

| limit | value | what counts |
| --- | --- | --- |
| primary REST (`core`) | 5,000 an hour + 50 for each repository over 20, at most 12,500 | a request 1; 304 none |
| primary GraphQL | the same, in points | points that the query costs |
| `search` | 30 a minute | a search request |
| `code_search` | 9 a minute | a search of code |
| secondary REST | 900 points a minute | reading 1, writing 5 |
| secondary GraphQL | 2,000 points a minute | a query 1, a mutation 5 |
| content creation | 80 a minute and 500 an hour | REST and GraphQL together |
| concurrency | 100 at once | REST and GraphQL together |

`scale` divides every window: with 60, an hour passes in a minute. Sources: docs.github.com, "Rate limits for the REST
API" and "Rate limits and query limits for the GraphQL API".
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from .access import Viewer
from .clock import Clock
from .state import State

HOUR, MINUTE = 3600.0, 60.0
SEARCHES_PER_MINUTE = {"search": 30, "code_search": 9}


@dataclass(kw_only=True)
class LimitSettings:
    """What is limited and how much; `primary` None computes it from the installation's repositories."""

    enabled: bool = False
    scale: float = 1.0
    primary: int | None = None
    rest_points: int = 900
    graphql_points: int = 2000
    content_per_minute: int = 80
    content_per_hour: int = 500
    concurrent: int = 100


class Limited(Exception):
    """A limit is reached. `retry_after` in seconds is given for secondary limits, `reset` always (since 1970)."""

    def __init__(self, *, primary: bool, resource: str, reset: float, retry_after: int | None) -> None:
        super().__init__(f"{'primary' if primary else 'secondary'} limit of {resource}")
        self.primary = primary
        self.resource = resource
        self.reset = reset
        self.retry_after = retry_after


@dataclass(kw_only=True)
class Window:
    """A fixed window of time and what was used in it."""

    ends: float = 0.0
    used: int = 0


@dataclass(frozen=True, kw_only=True)
class Allowance:
    """What the `x-ratelimit-…` headers say."""

    resource: str
    limit: int
    used: int
    reset: float

    @property
    def remaining(self) -> int:
        """What is left in this window."""
        return max(0, self.limit - self.used)


@dataclass
class _Usage:
    windows: dict[str, Window] = field(default_factory=lambda: defaultdict(Window))
    concurrent: int = 0
    primary: int | None = None


class Limits:
    """Counts what each viewer uses. Without `settings.enabled` nothing is counted or refused."""

    def __init__(self, clock: Clock, state: State) -> None:
        self.settings = LimitSettings()
        self._clock = clock
        self._state = state
        self._usage: dict[str, _Usage] = defaultdict(_Usage)

    def configure(self, settings: LimitSettings) -> None:
        """Takes other limits and forgets what was used."""
        self.settings = settings
        self._usage.clear()

    @contextmanager
    def one_at_a_time(self, viewer: Viewer) -> Iterator[None]:
        """Holds one of the places for concurrent requests; raises `Limited` where none is free."""
        if not self.settings.enabled:
            yield
            return
        usage = self._usage[viewer.limit_key]
        if usage.concurrent >= self.settings.concurrent:
            raise self._secondary("concurrency", self._clock.now() + MINUTE / self.settings.scale)
        usage.concurrent += 1
        try:
            yield
        finally:
            usage.concurrent -= 1

    def charge_rest(self, viewer: Viewer, *, write: bool, creates: bool, resource: str = "core") -> None:
        """Counts a REST request before it is served; raises `Limited`."""
        if not self.settings.enabled:
            return
        self._charge_primary(viewer, resource, 1)
        self._charge(viewer, "rest", 5 if write else 1, self.settings.rest_points, MINUTE)
        self._charge_content(viewer, int(creates))

    def charge_graphql(self, viewer: Viewer, *, cost: int, mutation: bool, creates: int = 0) -> None:
        """Counts a GraphQL request: its `cost` in points, and how much content it creates; raises `Limited`."""
        if not self.settings.enabled:
            return
        self._charge_primary(viewer, "graphql", cost)
        self._charge(viewer, "graphql points", 5 if mutation else 1, self.settings.graphql_points, MINUTE)
        self._charge_content(viewer, creates)

    def refund_rest(self, viewer: Viewer, resource: str = "core") -> None:
        """A 304 costs nothing of the primary limit."""
        if self.settings.enabled:
            self._window(viewer, resource, self._length(resource)).used -= 1

    def allowance(self, viewer: Viewer, resource: str) -> Allowance | None:
        """What is left of a primary limit; None where limits are off."""
        if not self.settings.enabled:
            return None
        window = self._window(viewer, resource, self._length(resource))
        return Allowance(
            resource=resource, limit=self._primary_limit(viewer, resource), used=window.used, reset=window.ends
        )

    def _charge_primary(self, viewer: Viewer, resource: str, points: int) -> None:
        if viewer.installation is None:
            return
        window = self._window(viewer, resource, self._length(resource))
        if window.used + points > self._primary_limit(viewer, resource):
            raise Limited(primary=True, resource=resource, reset=window.ends, retry_after=None)
        window.used += points

    def _charge_content(self, viewer: Viewer, creates: int) -> None:
        if creates:
            self._charge(viewer, "content a minute", creates, self.settings.content_per_minute, MINUTE)
            self._charge(viewer, "content an hour", creates, self.settings.content_per_hour, HOUR)

    def _charge(self, viewer: Viewer, name: str, points: int, limit: int, length: float) -> None:
        window = self._window(viewer, name, length)
        if window.used + points > limit:
            raise self._secondary(name, window.ends)
        window.used += points

    def _secondary(self, name: str, reset: float) -> Limited:
        retry_after = max(1, math.ceil(reset - self._clock.now()))
        return Limited(primary=False, resource=name, reset=reset, retry_after=retry_after)

    def _window(self, viewer: Viewer, name: str, length: float) -> Window:
        window = self._usage[viewer.limit_key].windows[name]
        now = self._clock.now()
        if now >= window.ends:
            window.ends, window.used = now + length / self.settings.scale, 0
        return window

    @staticmethod
    def _length(resource: str) -> float:
        return MINUTE if resource in SEARCHES_PER_MINUTE else HOUR

    def _primary_limit(self, viewer: Viewer, resource: str) -> int:
        if resource in SEARCHES_PER_MINUTE:
            return SEARCHES_PER_MINUTE[resource]
        if self.settings.primary is not None:
            return self.settings.primary
        usage = self._usage[viewer.limit_key]
        if usage.primary is None:
            count = 0
            if viewer.installation is not None:
                count = self._state.repositories.count("owner_id = ?", [viewer.installation.account_id])
            usage.primary = min(12_500, 5_000 + 50 * max(0, count - 20))
        return usage.primary
