"""Who owns the repositories of a selection: found on demand, from their CODEOWNERS."""

from __future__ import annotations

from collections import Counter
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response

from shared.domain import commands
from shared.domain.codeowners import Owner, OwnerKind, OwnersFile
from shared.domain.ids import SelectionId
from shared.domain.selection import SelectionState
from shared.errors import Conflict
from shared.postgres import owners
from shared.postgres.selections import get_selection

from ..auth import SignedIn
from ..paging import Cursor, Limit, Page, number_in, page
from ..resources import Opened
from ..schemas import ShownOperation
from ..versions import V1
from ..waiting import Waits
from .owner_schemas import OwnerCount, OwnersSummary, ShownOwned, ShownTeam, shown_owners

router = APIRouter(prefix="/selections", tags=["selections"])


@router.post("/{selection_id}/owners", status_code=202, responses={200: {"model": ShownOperation}})
async def resolve_owners(
    selection_id: UUID, response: Response, resources: Opened, principal: SignedIn, waiting: Waits
) -> ShownOperation:
    """Find out who owns the repositories that are in: CODEOWNERS on their base branches, and the teams they name."""
    async with resources.outbox.transaction() as work:
        selection = await get_selection(work.conn, SelectionId(selection_id))
        if selection.state is not SelectionState.COMPLETE:
            raise Conflict(
                f"selection {selection.id} is {selection.state}: its repositories are known once it is complete"
            )
        [operation] = await work.accept(commands.resolve_owners(selection.id, actor=principal.actor))
    response.headers["Location"] = f"{V1}/operations/{operation.id}"
    return ShownOperation.model_validate(await waiting.for_operation(operation))


@router.get("/{selection_id}/owners")
async def list_owners(
    selection_id: UUID,
    resources: Opened,
    _: SignedIn,
    file: Annotated[str | None, Query(max_length=4000, description="who owns the file of this path")] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Page[ShownOwned]:
    """The owners of each repository that is in, as far as they were found."""
    after = number_in(cursor)
    async with resources.pool.acquire() as conn:
        selection = await get_selection(conn, SelectionId(selection_id))
        rows = await owners.list_owned(conn, selection.id, after=-1 if after is None else after, limit=limit + 1)
    return page(
        rows, limit=limit, position=lambda each: each.position, show=lambda each: ShownOwned.of(each, path=file)
    )


@router.get("/{selection_id}/owners/summary")
async def count_by_owner(selection_id: UUID, resources: Opened, _: SignedIn) -> OwnersSummary:
    """How many repositories each owner has, how many have none, and the teams that are named."""
    counts: Counter[Owner] = Counter()
    named: set[str] = set()
    resolved = unowned = 0
    async with resources.pool.acquire() as conn:
        selection = await get_selection(conn, SelectionId(selection_id))
        for document, repositories in await owners.list_counted_documents(conn, selection.id):
            file = OwnersFile(document or "")
            resolved += repositories
            unowned += 0 if file.default_owners else repositories
            counts.update(dict.fromkeys(file.default_owners, repositories))
            named |= {owner.name.lower() for owner in file.all_owners if owner.kind is OwnerKind.TEAM}
        teams = await owners.list_teams(conn, sorted(named))
    return OwnersSummary(
        resolved=resolved,
        unowned=unowned,
        owners=[
            OwnerCount(owner=shown_owners((owner,))[0], repositories=count)
            for owner, count in sorted(counts.items(), key=lambda item: (-item[1], item[0]))
        ],
        teams=[ShownTeam.of(each) for each in teams],
    )
