"""The `rollout` part: how fast pull requests are opened, when, and in which waves."""

from __future__ import annotations

import re
from datetime import time, timedelta
from enum import IntEnum
from itertools import pairwise
from typing import Annotated, Any, cast

from pydantic import BeforeValidator, Field, WithJsonSchema, model_validator

from .fields import AsTuple, SpecModel, wrong


class Weekday(IntEnum):
    """A day, as `datetime.weekday()` counts."""

    MONDAY = 0
    TUESDAY = 1
    WEDNESDAY = 2
    THURSDAY = 3
    FRIDAY = 4
    SATURDAY = 5
    SUNDAY = 6


EVERY_DAY = tuple(Weekday)

_PERIODS = {"minute": timedelta(minutes=1), "hour": timedelta(hours=1), "day": timedelta(days=1)}
_RATE = re.compile(r"(\d{1,6})/(minute|hour|day)")
_TIME = re.compile(r"([01]\d|2[0-3]):([0-5]\d)|24:00")


class Rate(SpecModel):
    """At most `count` pull requests in any `period`; a count of 0 opens none, None any number."""

    count: int | None
    period: timedelta


def _rate(value: Any) -> Rate:
    if isinstance(value, Rate):
        return value
    if value == "unlimited":
        return Rate.model_construct(count=None, period=timedelta(hours=1))
    if type(value) is int and value == 0:
        return Rate.model_construct(count=0, period=timedelta(hours=1))
    if isinstance(value, str) and (match := _RATE.fullmatch(value)):
        return Rate.model_construct(count=int(match[1]), period=_PERIODS[match[2]])
    raise wrong("must be 0, unlimited, or a rate such as 10/hour (minute, hour or day)")


def _days(value: Any) -> Any:
    if isinstance(value, tuple):
        return cast("tuple[Any, ...]", value)
    names = {day.name.lower(): day for day in Weekday}
    days = cast("list[Any]", value) if isinstance(value, list) else [value]
    unknown = [day for day in days if not isinstance(day, str) or day not in names]
    if unknown:
        raise wrong(f"must be days such as monday, not {unknown[0]!r}")
    return tuple(names[day] for day in days)


def _time(value: Any) -> Any:
    if isinstance(value, time):
        return value
    if not isinstance(value, str) or not _TIME.fullmatch(value):
        raise wrong('must be a time of day in UTC in quotes, such as "08:00"')
    return time.max if value == "24:00" else time.fromisoformat(value)


TimeOfDay = Annotated[
    time, BeforeValidator(_time), WithJsonSchema({"type": "string", "pattern": r"^([01]\d|2[0-3]):[0-5]\d$|^24:00$"})
]


class Window(SpecModel):
    """A time of the week (UTC) and how fast pull requests are opened in it."""

    rate: Annotated[
        Rate,
        BeforeValidator(_rate),
        WithJsonSchema(
            {"anyOf": [{"const": 0}, {"type": "string", "pattern": r"^(\d{1,6}/(minute|hour|day)|unlimited)$"}]}
        ),
    ] = Field(description="10/hour, unlimited, or 0 for none", examples=["10/hour"])
    days: Annotated[
        tuple[Weekday, ...],
        BeforeValidator(_days),
        WithJsonSchema(
            {
                "anyOf": [
                    {"enum": [day.name.lower() for day in Weekday]},
                    {"type": "array", "items": {"enum": [day.name.lower() for day in Weekday]}, "minItems": 1},
                ]
            }
        ),
    ] = Field(EVERY_DAY, min_length=1, description="Days of the week; none = all", examples=[["monday"]])
    start: TimeOfDay = Field(time.min, description="Beginning, UTC", examples=["08:00"])
    end: TimeOfDay = Field(
        time.max, description="End, UTC; one before the beginning is of the next day", examples=["16:00"]
    )


class Gate(SpecModel):
    """What must be true of the pull requests of a wave, and of those before it, before the next wave begins."""

    merged: float | None = Field(None, ge=0, le=1, description="Part of them that is merged", examples=[0.9])
    checks_passed: float | None = Field(None, ge=0, le=1, description="Part whose checks passed", examples=[0.95])


class Wave(SpecModel):
    """A part of the targets."""

    percent: float = Field(gt=0, le=100, description="So much of all targets is published up to here", examples=[5])
    gate: Gate | None = Field(None, description="What must be true before the next wave begins")


class Rollout(SpecModel):
    """How fast pull requests are opened; GitHub's own limits hold beside it."""

    max_open: int | None = Field(None, ge=1, description="Pull requests of the campaign that are open at once")
    max_open_per_repo: int | None = Field(None, ge=1, description="The same in any one repository")
    windows: Annotated[tuple[Window, ...], AsTuple] = Field(
        (),
        max_length=100,
        description="Times and rates; the last that holds now decides, outside of all is none opened",
    )
    waves: Annotated[tuple[Wave, ...], AsTuple] = Field((), max_length=100, description="Parts, one after the other")

    @property
    def is_at_once(self) -> bool:
        """Whether every pull request is opened as soon as its change is prepared."""
        return not (self.max_open or self.max_open_per_repo or self.windows or self.waves)

    @model_validator(mode="after")
    def _waves_grow(self) -> Rollout:
        percents = [wave.percent for wave in self.waves]
        if any(after <= before for before, after in pairwise(percents)):
            raise wrong("the percent of each wave must be more than that of the one before: it counts from the first")
        if percents and percents[-1] != 100:
            raise wrong("the last wave must have percent: 100, or the rest would never be published")
        return self
