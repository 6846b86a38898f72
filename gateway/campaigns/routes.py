"""Campaigns and their spec versions."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import datetime
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Path, Query, Response

from shared.domain.campaign import Campaign, CampaignSort, CampaignState
from shared.domain.ids import RunId
from shared.domain.roles import Role
from shared.domain.run import Run
from shared.domain.spec import parse_spec
from shared.domain.spec.differences import compare_documents
from shared.errors import Conflict, InvalidInput, Problem
from shared.outbox import Outbox
from shared.postgres import campaigns, runs
from shared.postgres.overviews import latest_runs
from shared.postgres.target_counts import count_by_state

from ..auth import SignedIn
from ..conditional import tag_of
from ..paging import Cursor, Included, Limit, Page, page, sorted_position, sorted_values_in
from ..resources import Opened, Resources
from ..runs import pausing
from ..runs.schemas import ShownRun
from ..schemas import SpecDocument
from ..versions import V1
from .preconditions import IfMatch, IfNoneMatch, check_preconditions
from .scheduling import schedule_next
from .schemas import CampaignDetails, CampaignPart, ShownCampaign, ShownSpecDifference, ShownVersion

router = APIRouter(prefix="/campaigns", tags=["campaigns"])

VersionNumber = Annotated[int, Path(ge=1, lt=2**31)]


@router.post("", status_code=201)
async def create_campaign(
    body: SpecDocument, response: Response, resources: Opened, principal: SignedIn
) -> ShownCampaign:
    """Create a campaign; its name is the one in the spec."""
    spec = parse_spec(body.document)
    async with resources.pool.acquire() as conn, conn.transaction():
        campaign = await campaigns.insert_campaign(
            conn,
            name=spec.name,
            namespace=spec.namespace,
            description=spec.description,
            document=body.document,
            created_by=principal.actor,
            notifies=bool(spec.notifications),
        )
        response.headers["Location"] = f"{V1}/campaigns/{campaign.name}"
        return ShownCampaign.model_validate(await schedule_next(conn, campaign, spec))


@router.put("/{name}", responses={201: {"model": ShownCampaign}})
async def put_campaign(
    name: str,
    body: SpecDocument,
    response: Response,
    resources: Opened,
    principal: SignedIn,
    if_match: IfMatch = None,
    if_none_match: IfNoneMatch = None,
) -> ShownCampaign:
    """Create a campaign, or add a version to it. The same text again adds none."""
    spec = parse_spec(body.document)
    if spec.name != name:
        problem = Problem(f"the spec is of campaign {spec.name}, the address of {name}", path="body.document.name")
        raise InvalidInput("the spec is of another campaign", [problem])
    async with resources.pool.acquire() as conn, conn.transaction():
        if if_match or if_none_match:
            check_preconditions(await campaigns.lock_campaign(conn, name), if_match, if_none_match)
        campaign = await campaigns.update_campaign(
            conn,
            name=name,
            namespace=spec.namespace,
            description=spec.description,
            document=body.document,
            updated_by=principal.actor,
            notifies=bool(spec.notifications),
        )
        if campaign is None:
            response.status_code = 201
            campaign = await campaigns.insert_campaign(
                conn,
                name=name,
                namespace=spec.namespace,
                description=spec.description,
                document=body.document,
                created_by=principal.actor,
                notifies=bool(spec.notifications),
            )
        shown = ShownCampaign.model_validate(await schedule_next(conn, campaign, spec))
    response.headers["ETag"] = tag_of(shown)
    return shown


@router.get("")
async def list_campaigns(
    resources: Opened,
    principal: SignedIn,
    state: CampaignState | None = None,
    text: Annotated[
        str | None, Query(min_length=1, max_length=200, description="a part of name or description")
    ] = None,
    sort: Annotated[CampaignSort, Query(description="`-` before it: the last comes first")] = CampaignSort.NAME,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Page[ShownCampaign]:
    """Campaigns, in the order of their names unless `sort` says otherwise."""
    column = sort.removeprefix("-")
    after = sorted_values_in(cursor, sort, str if column == "name" else datetime.fromisoformat, str)
    async with resources.pool.acquire() as conn:
        rows = await campaigns.page_campaigns(
            conn,
            namespaces=principal.namespaces(Role.VIEWER),
            state=state,
            text=text,
            sort=sort,
            after=after,
            limit=limit + 1,
        )

    def position(campaign: Campaign) -> str:
        values = {"name": campaign.name, "created": campaign.created_at, "updated": campaign.updated_at}
        return sorted_position(sort, values[column], campaign.name)

    return page(rows, limit=limit, position=position, show=ShownCampaign.model_validate)


@router.get("/{name}")
async def get_campaign(
    name: str,
    response: Response,
    resources: Opened,
    _: SignedIn,
    include: Annotated[Included[CampaignPart], Query()] = None,
) -> CampaignDetails:
    """One campaign. Its `ETag` is what a PUT takes as `If-Match`, unless parts were asked for by `include`."""
    parts = include or ()
    async with resources.pool.acquire() as conn:
        campaign = await campaigns.get_campaign(conn, name)
        latest = (await latest_runs(conn, [campaign.id])).get(campaign.id) if parts else None
        counts = await count_by_state(conn, latest.id) if latest and CampaignPart.COUNTS in parts else None
    shown = ShownCampaign.model_validate(campaign)
    if not parts:
        response.headers["ETag"] = tag_of(shown)
    with_run = ShownRun.model_validate(latest) if latest and CampaignPart.LATEST_RUN in parts else None
    return CampaignDetails(**dict(shown), latest_run=with_run, counts=counts)


@router.post("/{name}/archive")
async def archive_campaign(name: str, resources: Opened, _: SignedIn) -> ShownCampaign:
    """Archive a campaign: its history stays, and it starts no run."""
    async with resources.pool.acquire() as conn:
        return ShownCampaign.model_validate(await campaigns.set_campaign_state(conn, name, CampaignState.ARCHIVED))


@router.post("/{name}/unarchive")
async def unarchive_campaign(name: str, resources: Opened, _: SignedIn) -> ShownCampaign:
    """Take a campaign out of the archive."""
    async with resources.pool.acquire() as conn, conn.transaction():
        campaign = await campaigns.set_campaign_state(conn, name, CampaignState.ACTIVE)
        return ShownCampaign.model_validate(await schedule_next(conn, campaign))


@router.post("/{name}/pause")
async def pause_campaign(name: str, resources: Opened, principal: SignedIn) -> Page[ShownRun]:
    """Pause each run of a campaign that is not finished; gives these."""
    return await _each_run(name, resources, partial(pausing.pause_run, actor=principal.actor))


@router.post("/{name}/resume")
async def resume_campaign(name: str, resources: Opened, principal: SignedIn) -> Page[ShownRun]:
    """Go on with each run of a campaign that was paused; gives those that are not finished."""
    return await _each_run(name, resources, partial(pausing.resume_run, actor=principal.actor))


async def _each_run(name: str, resources: Resources, act: Callable[[Outbox, RunId], Awaitable[Run]]) -> Page[ShownRun]:
    async with resources.pool.acquire() as conn:
        campaign = await campaigns.get_campaign(conn, name)
        unfinished = await runs.unfinished_of_campaign(conn, campaign.id)
    changed: list[Run] = []
    for run_id in unfinished:
        with suppress(Conflict):  # it has finished meanwhile
            changed.append(await act(resources.outbox, run_id))
    return Page(items=[ShownRun.model_validate(run) for run in changed], next_cursor=None)


@router.delete("/{name}", status_code=204)
async def delete_campaign(name: str, resources: Opened, _: SignedIn) -> None:
    """Delete a campaign that never ran; one that did can be archived."""
    async with resources.pool.acquire() as conn, conn.transaction():
        await campaigns.delete_campaign(conn, name)


@router.get("/{name}/versions")
async def list_versions(name: str, resources: Opened, _: SignedIn) -> Page[ShownVersion]:
    """All versions of a campaign's spec, newest first."""
    async with resources.pool.acquire() as conn:
        campaign = await campaigns.get_campaign(conn, name)
        versions = await campaigns.list_spec_versions(conn, campaign.id)
    return Page(items=[ShownVersion.model_validate(each) for each in versions], next_cursor=None)


@router.get("/{name}/versions/{version}")
async def get_version(name: str, version: VersionNumber, resources: Opened, _: SignedIn) -> ShownVersion:
    """One version of a campaign's spec."""
    async with resources.pool.acquire() as conn:
        campaign = await campaigns.get_campaign(conn, name)
        return ShownVersion.model_validate(await campaigns.get_spec_version(conn, campaign.id, version))


@router.get("/{name}/versions/{before}/diff/{after}")
async def compare_versions(
    name: str, before: VersionNumber, after: VersionNumber, resources: Opened, _: SignedIn
) -> ShownSpecDifference:
    """What is different in a version of a campaign's spec from another: the lines, and what it means."""
    async with resources.pool.acquire() as conn:
        campaign = await campaigns.get_campaign(conn, name)
        old, new = [await campaigns.get_spec_version(conn, campaign.id, version) for version in (before, after)]
    names = f"{name} version {before}", f"{name} version {after}"
    return ShownSpecDifference.model_validate(compare_documents(old.document, new.document, names=names))
