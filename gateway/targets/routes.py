"""Targets: their state, history and artifacts."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response

from shared.domain.artifact import ArtifactKind
from shared.domain.ids import EventId, TargetId
from shared.postgres import artifacts, targets
from shared.postgres.events import list_events_of_target

from ..auth import SignedIn
from ..paging import Cursor, Included, Limit, Page, id_in, page
from ..resources import Opened
from .contents import content_of, download_of
from .schemas import ShownArtifact, ShownEvent, ShownTarget, TargetDetails, TargetPart

router = APIRouter(prefix="/targets", tags=["targets"])

_CONTENT: dict[str, Any] = {kind.media_type.partition(";")[0]: {} for kind in ArtifactKind}
_ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {"content": _CONTENT, "description": "The content."},
    304: {"description": "What `If-None-Match` names is still the content."},
}
_DOWNLOAD: dict[int | str, dict[str, Any]] = {307: {"description": "The content is at `Location`."}}


class Content(StrEnum):
    """The artifacts that are for reading."""

    LOG = "log"
    PATCH = "patch"
    DIFF = "diff"


@router.get("/{target_id}")
async def get_target(
    target_id: UUID, resources: Opened, _: SignedIn, include: Annotated[Included[TargetPart], Query()] = None
) -> TargetDetails:
    """One target; with `include=events,artifacts` what happened to it first, and what is stored of it."""
    parts = include or ()
    async with resources.pool.acquire() as conn:
        target = await targets.get_target(conn, TargetId(target_id))
        shown = TargetDetails.model_validate(ShownTarget.model_validate(target).model_dump())
        if TargetPart.EVENTS in parts:
            happened = await list_events_of_target(conn, target_id=target.id)
            shown.events = [ShownEvent.model_validate(each) for each in happened]
        if TargetPart.ARTIFACTS in parts:
            stored = await artifacts.fetch_artifacts(conn, target.id)
            shown.artifacts = [ShownArtifact.model_validate(each) for each in stored]
    return shown


@router.get("/{target_id}/artifacts")
async def list_artifacts(target_id: UUID, resources: Opened, _: SignedIn) -> Page[ShownArtifact]:
    """What is stored of a target."""
    async with resources.pool.acquire() as conn:
        await targets.get_target(conn, TargetId(target_id))
        stored = await artifacts.fetch_artifacts(conn, TargetId(target_id))
    return Page(items=[ShownArtifact.model_validate(each) for each in stored], next_cursor=None)


@router.get("/{target_id}/artifacts/{kind}/download", response_class=Response, responses={**_ANSWERS, **_DOWNLOAD})
async def download_artifact(
    target_id: UUID, kind: ArtifactKind, request: Request, resources: Opened, _: SignedIn
) -> Response:
    """An artifact to save: 307 to the store where clients reach it, else its content; 410 once it was deleted."""
    async with resources.pool.acquire() as conn:
        artifact = await artifacts.get_artifact(conn, TargetId(target_id), kind)
    return await download_of(artifact, request, resources)


@router.get("/{target_id}/events")
async def list_target_events(
    target_id: UUID, resources: Opened, _: SignedIn, limit: Limit = 100, cursor: Cursor = None
) -> Page[ShownEvent]:
    """What happened to a target, oldest first."""
    after = id_in(cursor)
    async with resources.pool.acquire() as conn:
        await targets.get_target(conn, TargetId(target_id))
        happened = await list_events_of_target(
            conn, target_id=TargetId(target_id), after=EventId(after) if after else None, limit=limit + 1
        )
    return page(happened, limit=limit, position=lambda each: each.id, show=ShownEvent.model_validate)


@router.get("/{target_id}/{kind}", response_class=Response, responses=_ANSWERS)
async def get_content(target_id: UUID, kind: Content, request: Request, resources: Opened, _: SignedIn) -> Response:
    """The log, patch or diff of a target."""
    async with resources.pool.acquire() as conn:
        artifact = await artifacts.get_artifact(conn, TargetId(target_id), ArtifactKind(kind))
    return await content_of(artifact, request, resources.blobs, disposition="inline")
