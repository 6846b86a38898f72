"""Lists come in pages: `{"items": […], "next_cursor": …}`; a cursor is opaque to clients."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Generic, TypeVar, cast
from uuid import UUID

from fastapi import Query
from pydantic import BaseModel, BeforeValidator, Field

from shared.errors import InvalidInput

T = TypeVar("T")
M = TypeVar("M", bound=BaseModel)

Limit = Annotated[int, Query(ge=1, le=500, description="items on a page")]
Cursor = Annotated[str | None, Query(max_length=500, description="`next_cursor` of the page before")]

_INTEGERS = 2**31  # of PostgreSQL


E = TypeVar("E", bound=StrEnum)


def split_by_commas(given: Any) -> Any:
    """Each name for itself."""
    if not isinstance(given, list):
        return given
    return [name for each in cast("list[Any]", given) for name in str(each).split(",")]


Included = Annotated[list[E] | None, BeforeValidator(split_by_commas)]
"""The parts of a resource that `include` names, `counts,warnings` or one a parameter; None where it was not given."""


class Page(BaseModel, Generic[M]):
    """A page of a list."""

    items: list[M]
    next_cursor: str | None = Field(description="null on the last page")


def page(rows: Sequence[T], *, limit: int, position: Callable[[T], object], show: Callable[[T], M]) -> Page[M]:
    """A page of `rows`, which were read with one more than `limit` to know whether another page follows."""
    following = next_cursor(rows, limit=limit, position=position)
    return Page(items=[show(row) for row in rows[:limit]], next_cursor=following)


def next_cursor(rows: Sequence[T], *, limit: int, position: Callable[[T], object]) -> str | None:
    """The cursor of the page after `rows`, which were read with one more than `limit`; None on the last page."""
    return encoded(str(position(rows[limit - 1]))) if len(rows) > limit else None


def position_in(cursor: str | None) -> str | None:
    """What a cursor stands for; raises `InvalidInput`."""
    if not cursor:
        return None
    try:
        position = base64.b64decode(cursor.encode(), altchars=b"-_", validate=True).decode()
    except (binascii.Error, ValueError):
        raise made_up_cursor() from None
    if "\x00" in position:
        raise made_up_cursor()
    return position


def id_in(cursor: str | None) -> UUID | None:
    """The id that a cursor stands for; raises `InvalidInput`."""
    position = position_in(cursor)
    try:
        return UUID(position) if position else None
    except ValueError:
        raise made_up_cursor() from None


def number_in(cursor: str | None) -> int | None:
    """The number that a cursor stands for; raises `InvalidInput`."""
    position = position_in(cursor)
    try:
        number = int(position) if position else None
    except ValueError:
        raise made_up_cursor() from None
    if number is not None and abs(number) >= _INTEGERS:
        raise made_up_cursor()
    return number


def sorted_position(sort: str, *values: object) -> str:
    """What a cursor of a sorted list stands for: it goes on in that order alone."""
    return json.dumps([sort, *(each.isoformat() if isinstance(each, datetime) else str(each) for each in values)])


def sorted_values_in(cursor: str | None, sort: str, *kinds: Callable[[str], Any]) -> tuple[Any, ...] | None:
    """The values in a cursor of a list with that order, each read as its kind; raises `InvalidInput`."""
    position = position_in(cursor)
    if position is None:
        return None
    try:
        given_sort, *given = json.loads(position)
        values = tuple(kind(each) for kind, each in zip(kinds, given, strict=True) if isinstance(each, str))
    except (ValueError, TypeError):
        raise made_up_cursor() from None
    if given_sort != sort or len(values) != len(kinds):
        raise made_up_cursor()
    return values


def in_range(text: str) -> int:
    """A number that PostgreSQL knows; raises `ValueError`."""
    number = int(text)
    if abs(number) >= _INTEGERS:
        raise ValueError(text)
    return number


def made_up_cursor() -> InvalidInput:
    """What is raised for a cursor that stands for nothing."""
    return InvalidInput("the cursor is not one that this API gave for this list", field="query.cursor")


def encoded(position: str) -> str:
    """The cursor that stands for a position."""
    return base64.urlsafe_b64encode(position.encode()).decode()
