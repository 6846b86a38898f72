"""Lists come in pages: `{"items": […], "next_cursor": …}`; a cursor is opaque to clients."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Sequence
from typing import Annotated, Generic, TypeVar
from uuid import UUID

from fastapi import Query
from pydantic import BaseModel, Field

from shared.errors import InvalidInput

T = TypeVar("T")
M = TypeVar("M", bound=BaseModel)

Limit = Annotated[int, Query(ge=1, le=500, description="items on a page")]
Cursor = Annotated[str | None, Query(max_length=500, description="`next_cursor` of the page before")]

_INTEGERS = 2**31  # of PostgreSQL


class Page(BaseModel, Generic[M]):
    """A page of a list."""

    items: list[M]
    next_cursor: str | None = Field(description="null on the last page")


def page(rows: Sequence[T], *, limit: int, position: Callable[[T], object], show: Callable[[T], M]) -> Page[M]:
    """A page of `rows`, which were read with one more than `limit` to know whether another page follows."""
    shown = rows[:limit]
    following = encoded(str(position(shown[-1]))) if len(rows) > limit else None
    return Page(items=[show(row) for row in shown], next_cursor=following)


def position_in(cursor: str | None) -> str | None:
    """What a cursor stands for; raises `InvalidInput`."""
    if cursor is None:
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


def made_up_cursor() -> InvalidInput:
    """What is raised for a cursor that stands for nothing."""
    return InvalidInput("the cursor is not one that this API gave for this list", field="query.cursor")


def encoded(position: str) -> str:
    """The cursor that stands for a position."""
    return base64.urlsafe_b64encode(position.encode()).decode()
