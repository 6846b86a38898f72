"""Looking into selections: their repositories, counts by facet, why one is in or out, files, and differences."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from fastapi.responses import StreamingResponse

from shared.domain.ids import SelectionId
from shared.domain.repository import Visibility
from shared.domain.selection import SelectedRepository, Selection, SelectionState
from shared.domain.selection_views import Change, ExportFormat, Facet
from shared.domain.spec import CampaignSpec, parse_spec
from shared.errors import Conflict
from shared.postgres.known_repositories import KnownRepository, fetch_known, is_indexed
from shared.postgres.pool import Connection
from shared.postgres.selected_repositories import (
    RepositoryFilter,
    count_facets,
    find_in_selection,
    page_repositories,
)
from shared.postgres.selection_differences import count_differences, page_differences
from shared.postgres.selections import get_progress, get_selection

from ..auth import SignedIn
from ..exporting import ANSWERS, MEDIA_TYPES
from ..paging import Cursor, Limit, Page, number_in, page, position_in
from ..resources import Opened
from .explaining import Knowledge, entry_text, verdict_on
from .exporting import export_repositories
from .schemas import ShownRepository
from .seen import (
    Differences,
    Facets,
    ShownDifference,
    ShownExplanation,
    ShownFacetValue,
    ShownKnown,
    ShownPart,
)

router = APIRouter(prefix="/selections", tags=["selections"])


async def _filter(
    *,
    included: bool | None = None,
    entry: Annotated[int | None, Query(ge=0, lt=2**31, description="found by this entry of `on`")] = None,
    condition: Annotated[int | None, Query(ge=0, lt=2**31, description="left out by this condition")] = None,
    q: Annotated[str | None, Query(max_length=200, description="a part of owner/name")] = None,
    owner: Annotated[str | None, Query(max_length=100)] = None,
    language: Annotated[str | None, Query(max_length=100, description="empty: those that have none")] = None,
    topic: Annotated[str | None, Query(max_length=100)] = None,
    visibility: Visibility | None = None,
    archived: bool | None = None,
    fork: bool | None = None,
    template: bool | None = None,
    reason: Annotated[str | None, Query(max_length=2000, description="exactly this reason")] = None,
    custom_property: Annotated[
        str | None, Query(alias="property", max_length=300, description="`name=value`, or `name` where it is set")
    ] = None,
) -> RepositoryFilter:
    name, is_valued, value = (custom_property or "").partition("=")
    return RepositoryFilter(
        included=included, entry=entry, condition=condition, q=q, owner=owner, language=language, topic=topic,
        visibility=visibility, archived=archived, fork=fork, template=template, reason=reason,
        property_name=name or None, property_value=value if is_valued else None,
    )  # fmt: skip


Wanted = Annotated[RepositoryFilter, Depends(_filter)]


@router.get("/{selection_id}/repositories")
async def list_repositories(
    selection_id: UUID, resources: Opened, _: SignedIn, wanted: Wanted, limit: Limit = 50, cursor: Cursor = None
) -> Page[ShownRepository]:
    """The repositories of a complete selection, in its order, each with the reason for in or out."""
    after = number_in(cursor)
    async with resources.pool.acquire() as conn:
        selection = await get_complete(conn, selection_id)
        rows = await page_repositories(
            conn, selection.id, wanted, after=-1 if after is None else after, limit=limit + 1
        )
    return page(rows, limit=limit, position=lambda row: row[0], show=lambda row: ShownRepository.of(row[1]))


@router.get("/{selection_id}/facets")
async def count_by_facet(selection_id: UUID, resources: Opened, _: SignedIn, wanted: Wanted) -> Facets:
    """How many repositories there are of each kind: the 100 commonest values of each facet."""
    async with resources.pool.acquire() as conn:
        selection = await get_complete(conn, selection_id)
        total, counts = await count_facets(conn, selection.id, wanted)
    facets: dict[Facet, list[ShownFacetValue]] = {facet: [] for facet in Facet}
    for each in counts:
        facets[each.facet].append(ShownFacetValue(value=each.value, count=each.count))
    return Facets(total=total, facets=facets)


@router.get("/{selection_id}/explain")
async def explain_repository(
    selection_id: UUID,
    resources: Opened,
    _: SignedIn,
    repository: Annotated[str, Query(min_length=1, max_length=300, description="owner/name, or a node id")],
) -> ShownExplanation:
    """Why a repository is in or out, with every entry that found it; or why none did."""
    async with resources.pool.acquire() as conn:
        await get_complete(conn, selection_id)
        selection = await get_selection(conn, SelectionId(selection_id))
        return await explain(conn, selection, parse_spec(selection.document), repository)


@router.get("/{selection_id}/export", response_class=StreamingResponse, responses=ANSWERS)
async def export_selection(
    selection_id: UUID,
    resources: Opened,
    _: SignedIn,
    wanted: Wanted,
    form: Annotated[ExportFormat, Query(alias="format")] = ExportFormat.JSON,
) -> StreamingResponse:
    """A complete selection as a file: `csv`, `json` (one array) or `jsonl` (an object a line)."""
    async with resources.pool.acquire() as conn:
        selection = await get_complete(conn, selection_id)
    return StreamingResponse(
        export_repositories(resources.pool, selection.id, wanted, form=form),
        media_type=MEDIA_TYPES[form],
        headers={"Content-Disposition": f'attachment; filename="selection-{selection.id}.{form}"'},
    )


@router.get("/{selection_id}/diff/{later_id}")
async def compare_selections(
    selection_id: UUID,
    later_id: UUID,
    resources: Opened,
    _: SignedIn,
    change: Annotated[Change | None, Query(description="only what changed so")] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Differences:
    """What is different in a later selection, in the order of names; renames are told by node ids."""
    place = position_in(cursor) or ""
    async with resources.pool.acquire() as conn, conn.transaction(isolation="repeatable_read", readonly=True):
        before, after = await get_complete(conn, selection_id), await get_complete(conn, later_id)
        rows = await page_differences(conn, before.id, after.id, change=change, from_place=place, limit=limit + 1)
        counts = await count_differences(conn, before.id, after.id) if not place else None
    found = page(rows, limit=limit, position=lambda each: each.place, show=ShownDifference.model_validate)
    return Differences(items=found.items, next_cursor=found.next_cursor, counts=counts)


async def get_complete(conn: Connection, selection_id: UUID) -> Selection:
    """Without its document; raises `NotFound`, or `Conflict` where it has no repositories to show."""
    selection = await get_progress(conn, SelectionId(selection_id))
    if selection.state is not SelectionState.COMPLETE:
        raise Conflict(f"selection {selection.id} is {selection.state}: only a complete one has its repositories")
    return selection


async def explain(conn: Connection, selection: Selection, spec: CampaignSpec, asked: str) -> ShownExplanation:
    by_name = "/" in asked
    found = await find_in_selection(
        conn, selection.id, name=asked if by_name else None, node_id=None if by_name else asked
    )
    known = await _known(conn, asked, found[0].repository.node_id if found else None)
    if known and not found:
        found = await find_in_selection(conn, selection.id, node_id=known.node_id)
    if by_name and not found and selection.previous_id:
        found = await _renamed_since(conn, selection.previous_id, selection.id, name=asked)
    owner = (known.name_with_owner if known else asked).partition("/")[0]
    knowledge = Knowledge(repository=known, is_indexed=await is_indexed(conn, owner))
    entries = sorted({index for each in found for index in each.entries})
    conditions = sorted({each.condition for each in found if each.condition is not None})
    return ShownExplanation(
        repository=asked,
        verdict=verdict_on(asked, selection.created_at, spec.on, found, knowledge),
        branches=[ShownRepository.of(each) for each in found],
        entries=[ShownPart(index=index, text=entry_text(spec.on[index])) for index in entries if index < len(spec.on)],
        conditions=[
            ShownPart(index=index, text=f"file: {spec.where[index].file}")
            for index in conditions
            if index < len(spec.where)
        ],
        known=ShownKnown.model_validate(known) if known else None,
    )


async def _renamed_since(
    conn: Connection, previous_id: SelectionId, selection_id: SelectionId, *, name: str
) -> list[SelectedRepository]:
    """What the selection has of the repository that had this name in the one that it repeats."""
    earlier = await find_in_selection(conn, previous_id, name=name)
    return await find_in_selection(conn, selection_id, node_id=earlier[0].repository.node_id) if earlier else []


async def _known(conn: Connection, asked: str, node_id: str | None) -> KnownRepository | None:
    """What the index has under the node id, where one is known, else under what was asked for."""
    if node_id:
        return await fetch_known(conn, node_id=node_id)
    return await fetch_known(conn, name=asked) if "/" in asked else await fetch_known(conn, node_id=asked)
