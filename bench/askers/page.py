"""What was measured, and the page of it. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from bench.askers.systems import System
from bench.queues.figures import Target

KEYS = 200
PROCESSES = (1, 4)
ROUTES = {"empty": "`GET /livez`, which does nothing", "token": "`GET /tokens/installations/{id}`, cached"}


@dataclass(frozen=True, kw_only=True)
class Load:
    """Requests that are always under way, or where `a_second` is given, that come at that rate."""

    name: str
    at_once: int = 1
    a_second: int | None = None
    count: int


LOADS = (
    Load(name="one at a time", count=400),
    Load(name="50 a second", a_second=50, count=400),
    Load(name="50 at once", at_once=50, count=2000),
)


@dataclass(frozen=True, kw_only=True)
class AtOnce:
    """Requests at once: from the first begun to the last answered, and how many tokens GitHub made for them."""

    seconds: float
    mints: int


def _lists() -> defaultdict[Any, list[Any]]:
    return defaultdict(list)


@dataclass(kw_only=True)
class Figures:
    """One value for each round; times in milliseconds.

    `cold` and `cached` are by system, and medians of a round; `at_once` is by system, processes and keys; `p50` and
    `p99` are by route and load.
    """

    cold: defaultdict[str, list[float]] = field(default_factory=_lists)
    cached: defaultdict[str, list[float]] = field(default_factory=_lists)
    at_once: defaultdict[tuple[str, int, int], list[AtOnce]] = field(default_factory=_lists)
    p50: defaultdict[tuple[str, Load], list[float]] = field(default_factory=_lists)
    p99: defaultdict[tuple[str, Load], list[float]] = field(default_factory=_lists)

    def above(self, load: Load) -> float:
        """The p99 of a token above that of the empty route: the median of the rounds."""
        pairs = zip(self.p99["token", load], self.p99["empty", load], strict=True)
        return median(token - empty for token, empty in pairs)


def page(figures: Figures, systems: Sequence[System], *, introduction: str) -> str:
    """Markdown."""
    lines = [
        "# Tokens",
        "",
        introduction,
        "",
        "| asker | cold (rounds) | cached | 1,000 for 1 key, 1 process | 4 processes | for 200 keys, 1 | 4 processes |",
        "| --- | --- | --- | --- | --- | --- | --- |",
        *(_line(figures, system.name) for system in systems),
        "",
        *(f"- {system.name}: {system.settings}" for system in systems),
        "",
        f"| route of the gateway, p50 / p99 | {' | '.join(load.name for load in LOADS)} |",
        "| --- | --- | --- | --- |",
        *(_route(figures, name) for name in ROUTES),
        f"| **p99 above the empty route** | {' | '.join(f'{figures.above(load):.2f} ms' for load in LOADS)} |",
        "",
        "| target | wanted | reached | |",
        "| --- | --- | --- | --- |",
        *map(str, _targets(figures, systems)),
        "",
    ]
    return "\n".join(lines)


def _line(figures: Figures, name: str) -> str:
    cold, cached = figures.cold[name], median(figures.cached[name])
    cells = [
        name,
        f"{median(cold):.1f} ms ({min(cold):.1f}-{max(cold):.1f})",
        f"{cached:.2f} ms" if cached >= 0.1 else f"{cached * 1000:.1f} µs",
    ]
    for keys in (1, KEYS):
        for processes in PROCESSES:
            found = figures.at_once[name, processes, keys]
            cells.append(f"{median(each.seconds for each in found):.2f} s, {_mints(found)}")
    return f"| {' | '.join(cells)} |"


def _mints(found: Sequence[AtOnce]) -> str:
    least, most = min(each.mints for each in found), max(each.mints for each in found)
    return f"**{least:,}** mint{'s' * (least != 1)}" if least == most else f"**{least:,}-{most:,}** mints"


def _route(figures: Figures, name: str) -> str:
    cells = [f"{median(figures.p50[name, load]):.2f} / {median(figures.p99[name, load]):.2f} ms" for load in LOADS]
    return f"| {ROUTES[name]} | {' | '.join(cells)} |"


def _targets(figures: Figures, systems: Sequence[System]) -> list[Target]:
    ours = [system.name for system in systems if system.name.startswith("Octobatch")]

    def most(keys: int) -> int:
        return max(each.mints for name in ours for count in PROCESSES for each in figures.at_once[name, count, keys])

    return [
        Target("tokens minted for 1,000 requests at once for a cold key", most(1), 1, "mints", is_most=True),
        Target("tokens minted for 1,000 requests at once for 200", most(KEYS), KEYS, "mints", is_most=True),
        *(
            Target(
                f"p99 of a cached token above the empty route, {load.name}", figures.above(load), 10, "ms", is_most=True
            )
            for load in LOADS
        ),
    ]
