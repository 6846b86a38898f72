"""Budgets that all workers share: so many units in any window, quotas that GitHub tells of, pauses for everybody.

    budgets = Budgets(redis, {"content/min": Window(80, 60), "content/h": Window(500, 3600)})
    denial = await budgets.reserve("installation:1", {"content/min": 1, "content/h": 1})
    if denial: ...                      # nothing was taken; denial.seconds until it could be
    room = await budgets.room("installation:1", ["content/h"])
    eta = room.seconds_until(10_000)    # about 20 h

One script takes of all budgets or of none. Time is the Redis server's, so that workers with wrong clocks agree.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate

from redis.asyncio import Redis

from ..errors import InvalidInput
from .keys import PREFIX
from .script import Argument, Script

FIRST_PAUSE_SECONDS = 60.0
"""The least pause after a secondary limit that names no time, by GitHub's documentation; it doubles each time."""

LONGEST_PAUSE_SECONDS = 15 * 60.0

AFTER_PAUSE_PACE_SECONDS = 0.05
"""Between two who come again after a pause or a reset, so that they do not all come at once."""

STRIKES_KEPT_SECONDS = 3600.0

BUCKETS = 128
"""A window's parts, as `budget_reserve.lua` counts in them."""

_ASK, _TAKE, _ASK_FOR_A_TURN = 0, 1, 2

_RESERVE = Script.read("budget_reserve")
_LEARN = Script.read("budget_learn")
_PAUSE = Script.read("budget_pause")


@dataclass(frozen=True)
class Window:
    """At most `limit` units in any `seconds`."""

    limit: int
    seconds: float


@dataclass(frozen=True)
class Denial:
    """Nothing was taken: `budget` will have enough in `seconds`.

    Many are told so, and few can have it then: who comes again in `retry_seconds` comes about when it is its turn.
    """

    budget: str
    seconds: float
    retry_seconds: float


@dataclass(frozen=True, kw_only=True)
class Room:
    """What was used of several windows at one moment: for each, in how many seconds how many units come free."""

    paused_seconds: float
    windows: tuple[tuple[Window, tuple[tuple[float, int], ...]], ...]

    def seconds_until(self, count: int) -> float:
        """Seconds from that moment until `count` units can have been taken of each window, by nobody but the asker.

        More units than a window's limit take several windows.
        """
        return max([self.paused_seconds, *(_seconds_until(window, live, count) for window, live in self.windows)])


@dataclass(frozen=True, kw_only=True)
class WindowUse:
    """What is used of a window now; the last of it comes free in `seconds_until_free`."""

    name: str
    limit: int
    seconds: float
    used: int
    seconds_until_free: float


@dataclass(frozen=True, kw_only=True)
class QuotaLeft:
    """What GitHub said is left of a quota, less what was taken since; it is whole again in `seconds_until_reset`."""

    name: str
    limit: int
    remaining: int
    seconds_until_reset: float


@dataclass(frozen=True, kw_only=True)
class Usage:
    """An identity's limits at one moment. While it is paused, nothing may be taken; `writes` may be paused alone."""

    paused_seconds: float
    writes_paused_seconds: float
    windows: tuple[WindowUse, ...]
    quotas: tuple[QuotaLeft, ...]


class Budgets:
    """The budgets of every identity: each has the same windows, and the quotas that were learned of it."""

    def __init__(self, redis: Redis, windows: Mapping[str, Window]) -> None:
        self._redis = redis
        self._windows = windows

    async def reserve(
        self, identity: str, units: Mapping[str, int], *, quotas: Mapping[str, int] | None = None, lane: str = ""
    ) -> Denial | None:
        """Takes the units of all windows and quotas named, or none and says what for and until when.

        A pause of the whole identity, or of its `lane`, denies too. Units of a window or quota that is not known (none
        was configured, none was learned) are not counted. Raises `InvalidInput` where units exceed a window's limit:
        they could never be had.
        """
        for name, count in units.items():
            if name in self._windows and count > self._windows[name].limit:
                raise InvalidInput(f"{count} units of {name} are more than its limit of {self._windows[name].limit}")
        return await self._ask(identity, units, quotas or {}, lane, mode=_TAKE)

    async def denial(self, identity: str, units: Mapping[str, int], *, lane: str = "") -> Denial | None:
        """What `reserve` would say; takes nothing."""
        return await self._ask(identity, units, {}, lane, mode=_ASK)

    async def turn(self, identity: str, units: Mapping[str, int], *, lane: str = "") -> Denial | None:
        """The same for somebody who will come again: it is told its turn among all who were denied."""
        return await self._ask(identity, units, {}, lane, mode=_ASK_FOR_A_TURN)

    async def room(self, identity: str, names: Sequence[str], *, lane: str = "") -> Room:
        """What is used of these windows now; takes nothing. Windows that are not configured have all the room."""
        counted = [name for name in names if name in self._windows]
        async with self._redis.pipeline(transaction=True) as pipeline:
            pipeline.time()
            for name in ["", lane] if lane else [""]:
                pipeline.pttl(_key(identity, f"pause:{name}"))
            for name in counted:
                pipeline.hgetall(_key(identity, f"window:{name}"))
            (seconds, microseconds), *answers = await pipeline.execute()
        pauses, stored = answers[: -len(counted) or None], answers[len(answers) - len(counted) :]
        now_ms = seconds * 1000 + microseconds // 1000
        return Room(
            paused_seconds=max(0, *pauses) / 1000,
            windows=tuple(
                (self._windows[name], _live(self._windows[name], taken, now_ms))
                for name, taken in zip(counted, stored, strict=True)
            ),
        )

    async def usage(self, identity: str, *, quotas: Sequence[str], writes: str) -> Usage:
        """All windows, and those of the `quotas` that are known, in one round trip; `writes` is the lane of writing."""
        async with self._redis.pipeline(transaction=True) as pipeline:
            pipeline.time()
            for lane in ("", writes):
                pipeline.pttl(_key(identity, f"pause:{lane}"))
            for name in self._windows:
                pipeline.hgetall(_key(identity, f"window:{name}"))
            for name in quotas:
                pipeline.hmget(_key(identity, f"quota:{name}"), ["limit", "remaining", "reset"])
            (seconds, microseconds), paused_ms, writes_paused_ms, *answers = await pipeline.execute()
        now_ms = seconds * 1000 + microseconds // 1000
        stored, learned = answers[: len(self._windows)], answers[len(self._windows) :]
        return Usage(
            paused_seconds=max(paused_ms, 0) / 1000,
            writes_paused_seconds=max(writes_paused_ms, 0) / 1000,
            windows=tuple(
                _use(name, window, _live(window, taken, now_ms))
                for (name, window), taken in zip(self._windows.items(), stored, strict=True)
            ),
            quotas=tuple(
                QuotaLeft(
                    name=name,
                    limit=int(float(limit)),
                    remaining=max(int(float(remaining)), 0),
                    seconds_until_reset=max(float(reset) - now_ms, 0) / 1000,
                )
                for name, (limit, remaining, reset) in zip(quotas, learned, strict=True)
                if limit is not None and remaining is not None and reset is not None
            ),
        )

    async def learn(self, identity: str, quota: str, *, limit: int, remaining: int, seconds_to_reset: float) -> None:
        """Takes in what an answer's headers said of a quota."""
        args: list[Argument] = [limit, remaining, max(int(seconds_to_reset * 1000), 0)]
        await _LEARN.run(self._redis, [_key(identity, f"quota:{quota}")], args)

    async def pause(self, identity: str, *, seconds: float | None = None, lane: str = "") -> float:
        """Pauses the identity, or its `lane`, for every worker; gives for how many seconds it is paused now.

        Without `seconds` it is a minute, then twice as long each time until `succeeded` is called, at most a quarter of
        an hour.
        """
        asked = FIRST_PAUSE_SECONDS if seconds is None else seconds
        args: list[Argument] = [
            int(asked * 1000),
            int(seconds is None),
            int(LONGEST_PAUSE_SECONDS * 1000),
            int(STRIKES_KEPT_SECONDS * 1000),
        ]
        keys = [_key(identity, f"pause:{lane}"), _key(identity, "strikes")]
        return int(await _PAUSE.run(self._redis, keys, args)) / 1000

    async def succeeded(self, identity: str) -> None:
        """The next pause is a short one again."""
        await self._redis.delete(_key(identity, "strikes"))

    async def left(self, identity: str, quota: str) -> int | None:
        """What is left of a quota, as far as it is known."""
        remaining: bytes | None = await self._redis.hget(_key(identity, f"quota:{quota}"), "remaining")  # pyright: ignore
        return int(remaining) if remaining is not None else None

    async def _ask(
        self, identity: str, units: Mapping[str, int], quotas: Mapping[str, int], lane: str, *, mode: int
    ) -> Denial | None:
        pauses = ["", lane] if lane else [""]
        counted = [(name, count) for name, count in units.items() if name in self._windows]
        keys = [_key(identity, f"pause:{name}") for name in pauses]
        keys += [_key(identity, f"window:{name}") for name, _ in counted]
        keys += [_key(identity, f"quota:{name}") for name in quotas]
        args: list[Argument] = [mode, len(pauses), len(counted)]
        for name, count in counted:
            args += [self._windows[name].limit, int(self._windows[name].seconds * 1000), count]
        args += quotas.values()
        answer: list[int] = await _RESERVE.run(self._redis, keys, args)
        _, wait_ms, cause, denied, turn_ms = answer
        if wait_ms == 0:
            return None
        names = ["pause" for _ in pauses] + [name for name, _ in counted] + list(quotas)
        budget = names[cause - 1]
        pace = 0.0 if budget in self._windows else max(denied - 1, 0) * AFTER_PAUSE_PACE_SECONDS
        return Denial(budget, wait_ms / 1000, turn_ms / 1000 + pace)


def _live(window: Window, taken: Mapping[bytes, bytes], now_ms: int) -> tuple[tuple[float, int], ...]:
    """The units that still count, by when they will not: as `budget_reserve.lua` keeps them."""
    length_ms = int(window.seconds * 1000)
    width_ms = max(length_ms // BUCKETS, 1)
    ends = sorted(((int(bucket) + 1) * width_ms + length_ms - now_ms, int(units)) for bucket, units in taken.items())
    return tuple((ms / 1000, units) for ms, units in ends if ms > 0)


def _use(name: str, window: Window, live: Sequence[tuple[float, int]]) -> WindowUse:
    return WindowUse(
        name=name,
        limit=window.limit,
        seconds=window.seconds,
        used=sum(units for _, units in live),
        seconds_until_free=live[-1][0] if live else 0.0,
    )


def _seconds_until(window: Window, live: Sequence[tuple[float, int]], count: int) -> float:
    if count <= 0:
        return 0.0
    whole, rest = divmod(count - 1, window.limit)
    to_free = sum(units for _, units in live) + rest + 1 - window.limit
    freed = zip(accumulate(units for _, units in live), live, strict=True)
    seconds = next((seconds for total, (seconds, _) in freed if total >= to_free), 0.0) if to_free > 0 else 0.0
    return whole * window.seconds + seconds


def _key(identity: str, name: str) -> str:
    return f"{PREFIX}:{{budget:{identity}}}:{name}"
