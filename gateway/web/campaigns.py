"""All campaigns, and one."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from shared.postgres import campaigns, runs

from ..resources import Opened
from .kit import PAGE, render

router = APIRouter(include_in_schema=False)


@router.get("/")
async def campaigns_page(request: Request, resources: Opened) -> Response:
    """All campaigns and the latest runs."""
    async with resources.pool.acquire() as conn:
        found = await campaigns.page_campaigns(conn, limit=PAGE)
        latest = await runs.page_runs(conn, limit=10)
    return await render(request, resources, "campaigns.html", campaigns=found, runs=latest)


@router.get("/ui/campaigns/{name}")
async def campaign_page(request: Request, name: str, resources: Opened) -> Response:
    """A campaign: its spec and its runs."""
    async with resources.pool.acquire() as conn:
        campaign = await campaigns.get_campaign(conn, name)
        version = await campaigns.get_spec_version(conn, campaign.id, campaign.current_version)
        found = await runs.page_runs(conn, campaign=name, limit=PAGE)
    return await render(request, resources, "campaign.html", campaign=campaign, version=version, runs=found)
