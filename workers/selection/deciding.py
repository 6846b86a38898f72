"""What files decide of the repositories that were found: opt-outs, and the conditions of `where`."""

from __future__ import annotations

from shared.domain.ids import InstallationId
from shared.domain.selection import SelectedRepository
from shared.errors import GitHubUnavailable
from shared.github.paging import LARGEST
from shared.postgres import selection_results, selections

from .examining import examine
from .finding import SelectionOver
from .making import Making
from .turns import Turn


async def decide(making: Making, turn: Turn) -> None:
    """Has files decide of everything that is in, or, where there is a limit, until that many are."""
    if not (making.spec.where or making.spec.skip.opt_out_file):
        return
    while True:
        turn.check()
        async with making.ctx.pool.acquire() as conn:
            after = await selection_results.fetch_examined_to(conn, making.selection.id)
            limit = making.spec.limit
            if limit and await selection_results.count_included(conn, making.selection.id, up_to=after) >= limit:
                return
            batch = await selections.list_selected(conn, making.selection.id, included=True, after=after, limit=LARGEST)
        if not batch:
            return
        try:
            verdicts = await _examined(making, [each for _, each in batch])
        except GitHubUnavailable as error:
            raise turn.excuse(error) from error
        positions = [position for position, _ in batch]
        await _store(making, list(zip(positions, verdicts, strict=True)), after=after)
        turn.pages += 1


async def _examined(making: Making, batch: list[SelectedRepository]) -> list[SelectedRepository]:
    verdicts = list(batch)
    places: dict[InstallationId, list[int]] = {}
    for place, each in enumerate(batch):
        places.setdefault(each.repository.installation_id, []).append(place)
    for of_installation in places.values():
        judged = await examine(making.ctx, making.access, making.spec, [batch[place] for place in of_installation])
        for place, verdict in zip(of_installation, judged, strict=True):
            verdicts[place] = verdict
    return verdicts


async def _store(making: Making, verdicts: list[tuple[int, SelectedRepository]], *, after: int) -> None:
    usage = making.usage
    requests, points = usage.requests, usage.points
    async with making.ctx.pool.acquire() as conn, conn.transaction():
        is_ours = await selection_results.record_verdicts(
            conn, making.selection.id, verdicts, after=after, requests=requests, points=points
        )
    if not is_ours:
        raise SelectionOver
    usage.requests, usage.points = usage.requests - requests, usage.points - points
