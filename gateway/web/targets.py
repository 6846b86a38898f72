"""A target: what happened to it, its log, and what changes."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter, Request, Response

from shared.domain.artifact import ArtifactKind
from shared.domain.ids import TargetId
from shared.errors import NotFound
from shared.postgres import artifacts, targets
from shared.postgres.events import list_events_of_target

from ..resources import Opened, Resources
from .diffs import diff_lines
from .kit import render

router = APIRouter(include_in_schema=False)


@router.get("/ui/targets/{target_id}")
async def target_page(request: Request, target_id: UUID, resources: Opened) -> Response:
    """A target: what happened to it, its log, and what changes."""
    async with resources.pool.acquire() as conn:
        target = await targets.get_target(conn, TargetId(target_id))
        happened = await list_events_of_target(conn, target_id=target.id)
    diff = await _artifact_text(resources, target.id, ArtifactKind.DIFF)
    log = await _artifact_text(resources, target.id, ArtifactKind.LOG)
    return await render(
        request, resources, "target.html", target=target, events=happened, log=log, diff=diff_lines(diff)
    )


async def _artifact_text(resources: Resources, target_id: TargetId, kind: ArtifactKind) -> str:
    try:
        async with resources.pool.acquire() as conn:
            artifact = await artifacts.get_artifact(conn, target_id, kind)
        return artifact.unpacked(await resources.blobs.get(artifact.key)).decode(errors="replace")
    except NotFound:
        return ""
