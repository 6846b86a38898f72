"""Connections: pages of lists, with opaque cursors and GitHub's bounds.

Lists in memory are paged by position, tables by key (`table_page`), so that any page of a long table is read by index.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from graphql import FieldNode, FragmentSpreadNode, GraphQLResolveInfo, InlineFragmentNode, SelectionSetNode

from .errors import Failed
from .search import Found

T = TypeVar("T")
MAX_PAGE = 100
_PAGED = {"nodes", "edges", "pageInfo"}


@dataclass(frozen=True, kw_only=True)
class Window:
    """What of a list is asked for: `size` items, from its end where `backward`."""

    size: int
    backward: bool
    after: str | None
    before: str | None


@dataclass(frozen=True, kw_only=True)
class Page(Generic[T]):
    """A part of a list. `total` is computed where it is asked for; `facts` are further fields of the connection."""

    items: Sequence[T] = ()
    cursors: Sequence[str] = ()
    has_next: bool = False
    has_previous: bool = False
    total: Callable[[], int]
    facts: Mapping[str, Any] = field(default_factory=dict[str, Any])


def window(info: GraphQLResolveInfo, arguments: Mapping[str, Any]) -> Window | None:
    """What is asked for; None where only counts are. Raises `Failed` where the bounds are missing or too wide."""
    name = info.field_name
    first, last = arguments.get("first"), arguments.get("last")
    if first is None and last is None:
        if selects(info, _PAGED):
            raise Failed(
                "MISSING_PAGINATION_BOUNDARIES",
                f"You must provide a `first` or `last` value to properly paginate the `{name}` connection.",
            )
        return None
    if first is not None and last is not None:
        raise Failed(
            "UNPROCESSABLE", f"Passing both `first` and `last` to paginate the `{name}` connection is not supported."
        )
    which, size = ("first", first) if last is None else ("last", last)
    if size < 0:
        raise Failed("UNPROCESSABLE", f"`{which}` on the `{name}` connection cannot be less than zero.")
    if size > MAX_PAGE:
        raise Failed(
            "EXCESSIVE_PAGINATION",
            f"Requesting {size} records on the `{name}` connection exceeds the `{which}` limit of {MAX_PAGE} records.",
        )
    return Window(size=size, backward=which == "last", after=arguments.get("after"), before=arguments.get("before"))


def list_page(info: GraphQLResolveInfo, arguments: Mapping[str, Any], items: Sequence[T], **facts: Any) -> Page[T]:
    """A page of a list that is in memory."""
    return found_page(info, arguments, Found(len(items), lambda at, size: items[at : at + size]), cap=False, **facts)


def found_page(
    info: GraphQLResolveInfo, arguments: Mapping[str, Any], found: Found[T], *, cap: bool = True, **facts: Any
) -> Page[T]:
    """A page of what can be read by position; with `cap`, none past a search's 1,000."""
    asked = window(info, arguments)
    reachable = found.reachable if cap else found.total
    if asked is None:
        return Page(total=lambda: found.total, facts=facts)
    start = _position(asked.after, "after") if asked.after else 0
    end = min(reachable, _position(asked.before, "before") - 1) if asked.before else reachable
    if asked.backward:
        start = max(start, end - asked.size)
    else:
        end = min(end, start + asked.size)
    items = list(found.fetch(start, end - start)) if end > start else []
    return Page(
        items=items,
        cursors=[_cursor(f"cursor:{start + index + 1}") for index in range(len(items))],
        has_next=end < reachable,
        has_previous=start > 0,
        total=lambda: found.total,
        facts=facts,
    )


@dataclass(frozen=True, kw_only=True)
class Table(Generic[T]):
    """Rows to page: `fetch(where, parameters, order_by, limit)`, in the order of `column`, then `id_column`."""

    where: str
    parameters: Sequence[Any]
    column: str
    id_column: str
    descending: bool
    key: Callable[[T], tuple[Any, int]]
    fetch: Callable[[str, Sequence[Any], str, int], list[T]]
    count: Callable[[], int]


def table_page(info: GraphQLResolveInfo, arguments: Mapping[str, Any], table: Table[T], **facts: Any) -> Page[T]:
    """A page of a table, found by the keys in its cursors."""
    asked = window(info, arguments)
    if asked is None:
        return Page(total=table.count, facts=facts)
    conditions, parameters = [table.where], list(table.parameters)
    for cursor, which, later in ((asked.after, "after", True), (asked.before, "before", False)):
        if cursor:
            comparison = ">" if later != table.descending else "<"
            conditions.append(f"({table.column}, {table.id_column}) {comparison} (?, ?)")
            parameters += _key(cursor, which)
    direction = "DESC" if table.descending != asked.backward else "ASC"
    order = f"{table.column} {direction}, {table.id_column} {direction}"
    rows = table.fetch(" AND ".join(conditions), parameters, order, asked.size + 1)
    more, rows = len(rows) > asked.size, rows[: asked.size]
    if asked.backward:
        rows.reverse()
    return Page(
        items=rows,
        cursors=[_cursor("cursor:v2:" + json.dumps(table.key(row))) for row in rows],
        has_next=asked.before is not None if asked.backward else more,
        has_previous=more if asked.backward else asked.after is not None,
        total=table.count,
        facts=facts,
    )


def selects(info: GraphQLResolveInfo, names: set[str]) -> bool:
    """Whether one of these fields is asked for of the field being resolved."""

    def within(selected: SelectionSetNode | None) -> bool:
        for node in selected.selections if selected else ():
            match node:
                case FieldNode() if node.name.value in names:
                    return True
                case InlineFragmentNode() if within(node.selection_set):
                    return True
                case FragmentSpreadNode() if within(info.fragments[node.name.value].selection_set):
                    return True
                case _:
                    pass
        return False

    return any(within(node.selection_set) for node in info.field_nodes)


def _cursor(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def _position(cursor: str, which: str) -> int:
    text = _decoded(cursor, which)
    prefix, _, number = text.partition(":")
    if prefix != "cursor" or not number.isdecimal():
        raise _bad(cursor, which)
    return int(number)


def _key(cursor: str, which: str) -> list[Any]:
    text = _decoded(cursor, which)
    try:
        value, row_id = json.loads(text.removeprefix("cursor:v2:"))
    except (ValueError, TypeError) as error:
        raise _bad(cursor, which) from error
    return [value, row_id]


def _decoded(cursor: str, which: str) -> str:
    try:
        return base64.b64decode(cursor, validate=True).decode()
    except ValueError as error:
        raise _bad(cursor, which) from error


def _bad(cursor: str, which: str) -> Failed:
    return Failed("INVALID_CURSOR_ARGUMENTS", f"`{cursor}` does not appear to be a valid cursor for `{which}`.")


def item_cursor(position: int) -> str:
    """The cursor of an item of a list, counted from 1."""
    return _cursor(f"cursor:{position}")


def connection_field(name: str) -> Callable[[Page[Any], GraphQLResolveInfo], Any]:
    """The resolver of a field of a connection."""

    def resolve(page: Page[Any], _: GraphQLResolveInfo) -> Any:
        match name:
            case "nodes":
                return page.items
            case "edges":
                edges = zip(page.items, page.cursors, strict=True)
                return [{"node": item, "cursor": cursor} | page.facts for item, cursor in edges]
            case "pageInfo":
                return page
            case "totalCount":
                return page.total()
            case _:
                fact = page.facts[name]
                return fact() if callable(fact) else fact

    return resolve


def edge_field(name: str) -> Callable[[Mapping[str, Any], GraphQLResolveInfo], Any]:
    """The resolver of a field of an edge."""

    def resolve(edge: Mapping[str, Any], _: GraphQLResolveInfo) -> Any:
        return edge[name]

    return resolve


PAGE_INFO: dict[str, Callable[[Page[Any], GraphQLResolveInfo], Any]] = {
    "endCursor": lambda page, _: page.cursors[-1] if page.cursors else None,
    "hasNextPage": lambda page, _: page.has_next,
    "hasPreviousPage": lambda page, _: page.has_previous,
    "startCursor": lambda page, _: page.cursors[0] if page.cursors else None,
}
