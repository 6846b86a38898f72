"""All campaigns: those first that need somebody."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Literal
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request, Response

from shared.domain.campaign import Campaign, CampaignState
from shared.domain.roles import Role
from shared.domain.run import Run, is_finished
from shared.postgres import campaigns, overviews, target_counts

from ..auth import SignedIn
from ..campaigns.schemas import ShownCampaign
from ..paging import Cursor, page, position_in
from ..resources import Opened
from .kit import PAGE, render

router = APIRouter(include_in_schema=False)

MOST_ATTENTION = 6
"""Campaigns that stand first because they need somebody."""

Wanted = Literal["active", "archived", "all"]
Text = Annotated[str, Query(max_length=200)]


@dataclass(frozen=True, kw_only=True)
class Row:
    """A campaign with its latest run, None where it never ran, and that run's targets by state."""

    campaign: Campaign
    run: Run | None
    counts: target_counts.Counts

    @property
    def is_moving(self) -> bool:
        """Whether the run is not finished."""
        return self.run is not None and not is_finished(self.run.state)


@router.get("/")
async def campaigns_page(
    request: Request,
    resources: Opened,
    principal: SignedIn,
    q: Text = "",
    state: Wanted = "active",
    namespace: Text = "",
    cursor: Cursor = None,
) -> Response:
    """Campaigns with the progress of their latest runs, found by state and by a part of their name or description."""
    wanted = None if state == "all" else CampaignState(state)
    seen = principal.namespaces(Role.VIEWER)
    async with resources.pool.acquire() as conn:
        found = await campaigns.page_campaigns(
            conn,
            namespaces=_within(seen, namespace),
            state=wanted,
            text=q.strip() or None,
            after=(name, name) if (name := position_in(cursor)) else None,
            limit=PAGE + 1,
        )
        latest = await overviews.latest_runs(conn, [each.id for each in found])
        counts = await target_counts.count_by_run(conn, [run.id for run in latest.values()])
        namespaces = await campaigns.list_namespaces(conn, seen)
        is_plain = not (q or namespace or cursor) and state == "active"
        attention = await overviews.list_attention(conn, namespaces=seen, limit=MOST_ATTENTION + 1) if is_plain else []
    shown = page(found, limit=PAGE, position=lambda each: each.name, show=ShownCampaign.model_validate)
    runs = [(each, latest.get(each.id)) for each in found[:PAGE]]
    rows = [Row(campaign=each, run=run, counts=counts.get(run.id, {}) if run else {}) for each, run in runs]
    following = (
        urlencode({"q": q, "state": state, "namespace": namespace, "cursor": shown.next_cursor})
        if shown.next_cursor
        else None
    )
    return await render(
        request,
        resources,
        "campaigns.html",
        rows=rows,
        attention=attention[:MOST_ATTENTION],
        has_more_attention=len(attention) > MOST_ATTENTION,
        following=following,
        q=q,
        state=state,
        namespace=namespace,
        namespaces=namespaces,
    )


def _within(seen: Sequence[str] | None, chosen: str) -> Sequence[str] | None:
    """The namespace that was chosen, where it may be seen; without a choice all that may (None = all)."""
    if not chosen:
        return seen
    return [chosen] if seen is None or chosen in seen else []
