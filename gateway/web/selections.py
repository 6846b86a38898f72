"""Selections: all of them, one that is made or looked into, and two compared."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response

from shared.domain.ids import SelectionId
from shared.domain.roles import Role
from shared.domain.selection import Selection, SelectionState
from shared.domain.selection_views import Change, Facet
from shared.domain.spec import CampaignSpec, parse_spec
from shared.errors import InvalidSpec
from shared.postgres import selected_repositories, selection_differences, selections
from shared.postgres.pool import Connection
from shared.postgres.selected_repositories import FacetCount

from ..auth import SignedIn
from ..paging import Cursor, id_in, next_cursor, number_in, position_in
from ..resources import Opened, Resources
from ..selections.explaining import entry_text
from ..selections.looking import explain, get_complete
from .kit import PAGE, render, wants_part
from .selection_views import SelectionView, selection_view

router = APIRouter(include_in_schema=False)

ROOM = "Selections"

MOST_VALUES = 100
"""Of a facet; the commonest come first, and a page folds away all but some of them."""

_FACETS = {
    Facet.INCLUDED: "In or out",
    Facet.REASON: "Why",
    Facet.ENTRY: "Found by",
    Facet.CONDITION: "Left out by",
    Facet.OWNER: "Owner",
    Facet.LANGUAGE: "Language",
    Facet.TOPIC: "Topic",
    Facet.VISIBILITY: "Visibility",
    Facet.ARCHIVED: "Archived",
    Facet.FORK: "Fork",
    Facet.TEMPLATE: "Template",
}

_UNFINISHED = (SelectionState.PENDING, SelectionState.SELECTING)


@dataclass(frozen=True, kw_only=True)
class FacetValue:
    """A value of a facet as it is shown, with the address that chooses it, or chooses it no more."""

    text: str
    count: int
    address: str
    is_chosen: bool


@dataclass(frozen=True, kw_only=True)
class ShownFacet:
    """A facet with the values that there are."""

    name: str
    values: list[FacetValue]


@router.get("/ui/selections")
async def selections_page(
    request: Request,
    resources: Opened,
    principal: SignedIn,
    state: SelectionState | Literal[""] = "",
    name: Annotated[str, Query(max_length=200)] = "",
    cursor: Cursor = None,
) -> Response:
    """All selections, newest first."""
    before = id_in(cursor)
    async with resources.pool.acquire() as conn:
        found = await selections.page_selections(
            conn,
            namespaces=principal.namespaces(Role.VIEWER),
            state=state or None,
            name=name or None,
            before=SelectionId(before) if before else None,
            limit=PAGE + 1,
        )
    return await render(
        request,
        resources,
        "selections.html",
        room=ROOM,
        selections=found[:PAGE],
        following=next_cursor(found, limit=PAGE, position=lambda each: each.id),
        states=list(SelectionState),
        state=state,
        name=name,
        is_moving=any(each.state in _UNFINISHED for each in found[:PAGE]),
    )


@router.get("/ui/selections/{selection_id}")
async def selection_page(
    request: Request,
    selection_id: UUID,
    resources: Opened,
    principal: SignedIn,
    cursor: Cursor = None,
    explained: Annotated[str, Query(alias="explain", max_length=300)] = "",
) -> Response:
    """A selection: how far it is; once it is complete, its repositories and why each is in or out."""
    async with resources.pool.acquire() as conn:
        selection = await selections.get_selection(conn, SelectionId(selection_id))
        may_change = principal.allows(Role.AUTHOR, selection.namespace)
        if selection.state is SelectionState.COMPLETE:
            return await _contents(
                request,
                resources,
                conn,
                selection,
                after=number_in(cursor),
                explained=explained.strip(),
                may_change=may_change,
            )
    return await render(
        request,
        resources,
        "selection.html",
        room=ROOM,
        selection=selection,
        may_change=may_change,
        is_moving=selection.state in _UNFINISHED,
    )


@router.get("/ui/selections/{selection_id}/diff/{later_id}")
async def compare_page(
    request: Request,
    selection_id: UUID,
    later_id: UUID,
    resources: Opened,
    change: Change | Literal[""] = "",
    cursor: Cursor = None,
) -> Response:
    """What is different in a later selection."""
    place = position_in(cursor) or ""
    async with resources.pool.acquire() as conn, conn.transaction(isolation="repeatable_read", readonly=True):
        before, after = await get_complete(conn, selection_id), await get_complete(conn, later_id)
        counts = await selection_differences.count_differences(conn, before.id, after.id)
        rows = await selection_differences.page_differences(
            conn, before.id, after.id, change=change or None, from_place=place, limit=PAGE + 1
        )
    is_more = bool(place) and wants_part(request)
    return await render(
        request,
        resources,
        "selection-diff-rows.html" if is_more else "selection-diff.html",
        room=ROOM,
        before=before,
        after=after,
        counts=counts,
        change=change,
        rows=rows[:PAGE],
        following=next_cursor(rows, limit=PAGE, position=lambda each: each.place),
        path=request.url.path,
    )


async def _contents(
    request: Request,
    resources: Resources,
    conn: Connection,
    selection: Selection,
    *,
    after: int | None,
    explained: str,
    may_change: bool,
) -> Response:
    view = selection_view(request.url.path, request.query_params)
    rows = await selected_repositories.page_repositories(
        conn, selection.id, view.wanted, after=-1 if after is None else after, limit=PAGE + 1
    )
    following = next_cursor(rows, limit=PAGE, position=lambda each: each[0])
    context: dict[str, Any] = {
        "selection": selection,
        "view": view,
        "rows": [row for _, row in rows[:PAGE]],
        "following": view.after(following) if following else None,
    }
    if after is not None and wants_part(request):
        return await render(request, resources, "selection-rows.html", **context)
    total, counts = await selected_repositories.count_facets(conn, selection.id, view.wanted, most=MOST_VALUES)
    spec = _spec_of(selection)
    others = await selections.page_selections(
        conn, namespaces=[selection.namespace], state=SelectionState.COMPLETE, name=selection.name, limit=20
    )
    return await render(
        request,
        resources,
        "selection.html",
        room=ROOM,
        is_moving=False,
        may_change=may_change,
        total=total,
        facets=list(_facets(counts, view, spec)),
        others=[each for each in others if each.id != selection.id],
        explained=explained,
        explanation=await explain(conn, selection, spec, explained) if explained and spec else None,
        **context,
    )


def _spec_of(selection: Selection) -> CampaignSpec | None:
    """Its spec; None for one of an older Octobatch that is not understood any more."""
    try:
        return parse_spec(selection.document)
    except InvalidSpec:
        return None


def _facets(counts: Sequence[FacetCount], view: SelectionView, spec: CampaignSpec | None) -> Iterator[ShownFacet]:
    for facet, name in _FACETS.items():
        values = [
            FacetValue(
                text=_text(facet, each.value, spec),
                count=each.count,
                address=view.toggled(facet.value, each.value),
                is_chosen=view.given.get(facet.value) == each.value,
            )
            for each in counts
            if each.facet is facet
        ]
        if len(values) > 1 or any(each.is_chosen for each in values):
            yield ShownFacet(name=name, values=values)


def _text(facet: Facet, value: str, spec: CampaignSpec | None) -> str:
    if facet is Facet.INCLUDED:
        return "in" if value == "true" else "out"
    if facet in {Facet.ARCHIVED, Facet.FORK, Facet.TEMPLATE}:
        return "yes" if value == "true" else "no"
    if facet is Facet.ENTRY and spec and int(value) < len(spec.on):
        return entry_text(spec.on[int(value)])
    if facet is Facet.CONDITION and spec and int(value) < len(spec.where):
        return f"file: {spec.where[int(value)].file}"
    return value or "none"
