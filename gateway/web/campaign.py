"""One campaign: how far it is, its runs, and the versions of its spec."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from shared.domain.campaign import Campaign
from shared.domain.ids import RunId
from shared.domain.run import Run, is_finished
from shared.domain.spec import parse_spec
from shared.domain.spec.differences import compare_documents
from shared.errors import InvalidSpec
from shared.postgres import campaigns, overviews, runs, target_counts
from shared.postgres.pool import Connection

from ..paging import Cursor, id_in, page
from ..resources import Opened
from ..runs.schemas import ShownRun
from .diff_views import DiffView, part_of
from .diffs import read_lines
from .kit import PAGE, render
from .standing import STATES, read_standing

router = APIRouter(include_in_schema=False)

_MOST_LINES = 100_000
"""A spec's changes are shown at once."""

LATEST = 5
"""Runs on the first page of a campaign."""

Number = Annotated[int | None, Query(ge=1, lt=2**31)]


@router.get("/ui/campaigns/{name}")
async def campaign_page(request: Request, name: str, resources: Opened) -> Response:
    """How far a campaign is: its latest run looked at closer."""
    async with resources.pool.acquire() as conn:
        campaign = await campaigns.get_campaign(conn, name)
        latest = (await overviews.latest_runs(conn, [campaign.id])).get(campaign.id)
        found = await runs.page_runs(conn, namespaces=None, campaign=name, limit=LATEST)
        counts = await target_counts.count_by_run(conn, [run.id for run in found])
        frame = await _frame(conn, campaign)
    standing = await read_standing(resources, latest.id) if latest else None
    return await render(
        request,
        resources,
        "campaign.html",
        tab="overview",
        standing=standing,
        states=STATES,
        rows=_with_counts(found, counts),
        **frame,
    )


@router.get("/ui/campaigns/{name}/runs")
async def campaign_runs_page(request: Request, name: str, resources: Opened, cursor: Cursor = None) -> Response:
    """All runs of a campaign, newest first."""
    before = id_in(cursor)
    async with resources.pool.acquire() as conn:
        campaign = await campaigns.get_campaign(conn, name)
        found = await runs.page_runs(
            conn, namespaces=None, campaign=name, after=RunId(before) if before else None, limit=PAGE + 1
        )
        counts = await target_counts.count_by_run(conn, [run.id for run in found])
        frame = await _frame(conn, campaign)
    shown = page(found, limit=PAGE, position=lambda each: each.id, show=ShownRun.model_validate)
    return await render(
        request,
        resources,
        "campaign-runs.html",
        tab="runs",
        rows=_with_counts(found[:PAGE], counts),
        next_cursor=shown.next_cursor,
        **frame,
    )


@router.get("/ui/campaigns/{name}/spec")
async def campaign_spec_page(
    request: Request, name: str, resources: Opened, before: Number = None, after: Number = None
) -> Response:
    """The versions of a campaign's spec: one of them, and what is different in it from another."""
    async with resources.pool.acquire() as conn:
        campaign = await campaigns.get_campaign(conn, name)
        versions = await campaigns.list_spec_versions(conn, campaign.id)
        new = await campaigns.get_spec_version(conn, campaign.id, after or campaign.current_version)
        old = await campaigns.get_spec_version(conn, campaign.id, before) if before else None
        frame = await _frame(conn, campaign)
    names = (f"version {before}", f"version {new.version}")
    difference = compare_documents(old.document, new.document, names=names) if old else None
    file = read_lines("spec.yaml", difference.lines) if difference and difference.lines else None
    return await render(
        request,
        resources,
        "campaign-spec.html",
        tab="spec",
        versions=versions,
        shown=new,
        before=before,
        difference=difference,
        file=file,
        part=part_of(file, DiffView.UNIFIED, lines_at_once=_MOST_LINES) if file else None,
        view=DiffView.UNIFIED,
        **frame,
    )


def _with_counts(found: list[Run], counts: dict[RunId, target_counts.Counts]) -> list[tuple[Run, target_counts.Counts]]:
    return [(run, counts.get(run.id, {})) for run in found]


async def _frame(conn: Connection, campaign: Campaign) -> dict[str, Any]:
    """What the head of each page of a campaign shows."""
    version = await campaigns.get_spec_version(conn, campaign.id, campaign.current_version)
    newest = await runs.page_runs(conn, namespaces=None, campaign=campaign.name, limit=PAGE)
    moving = [run for run in newest if not is_finished(run.state)]
    try:
        schedule = parse_spec(version.document).schedule
    except InvalidSpec:  # of an older Octobatch
        schedule = None
    return {
        "campaign": campaign,
        "version": version,
        "schedule": schedule,
        "moving": len(moving),
        "paused": sum(run.paused_at is not None for run in moving),
        "never_ran": not newest,
    }
