"""A target: what changes in it, what happened to it, its log, and what can be saved."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response

from shared.domain.artifact import Artifact, ArtifactKind
from shared.domain.bulk import BulkAction, BulkParameters, why_not
from shared.domain.event import Event
from shared.domain.ids import TargetId
from shared.domain.roles import Role
from shared.domain.target import PublishAs, Target, TargetState
from shared.errors import NotFound
from shared.postgres import artifacts, namespaces, runs, targets
from shared.postgres.events import list_events_of_target

from ..auth import SignedIn
from ..resources import Opened, Resources
from .diff_views import DiffView, Part, part_of
from .diffs import FileDiff, read_diff
from .kit import render
from .log_views import read_log
from .target_table import actions_on

router = APIRouter(include_in_schema=False)

LINES_AT_ONCE = 1500
"""Lines of a diff that a page comes with; the files after these are loaded when they are opened."""

MOST_EVENTS = 500

_FAILED = frozenset({TargetState.FAILED, TargetState.BLOCKED, TargetState.CONFLICTED})


class Tab(StrEnum):
    """What is shown below the head of the page."""

    CHANGES = "changes"
    TIMELINE = "timeline"
    LOG = "log"
    FILES = "files"


@dataclass(frozen=True)
class ShownFile:
    """A file of a diff with the rows that come with the page; None where they are loaded later."""

    file: FileDiff
    part: Part | None


@dataclass(frozen=True)
class Happened:
    """An event, and how long after the one before it."""

    event: Event
    seconds: float | None


@router.get("/ui/targets/{target_id}")
async def target_page(
    request: Request,
    target_id: UUID,
    resources: Opened,
    principal: SignedIn,
    tab: Tab | None = None,
    view: DiffView | None = None,
    file: Annotated[int | None, Query(ge=0, description="a file that is open whatever comes before it")] = None,
) -> Response:
    """A target. While it is at work, the page asks for itself again and again."""
    async with resources.pool.acquire() as conn:
        target = await targets.get_target(conn, TargetId(target_id))
        run = await runs.get_run(conn, target.run_id)
        may_act = principal.allows(Role.OPERATOR, await namespaces.of_run(conn, run.id))
        stored = {each.kind: each for each in await artifacts.fetch_artifacts(conn, target.id)}
        happened = await list_events_of_target(conn, target_id=target.id, limit=MOST_EVENTS)
    tab = tab or _first_tab(target, stored)
    context: dict[str, Any] = {}
    if tab is Tab.CHANGES:
        view = view or _preferred(request)
        files = read_diff(await _text(resources, stored.get(ArtifactKind.DIFF)))
        context = {"files": _opened(files, view, also=file), "view": view}
    elif tab is Tab.LOG:
        sections, left_out = read_log(await _text(resources, stored.get(ArtifactKind.LOG)))
        context = {"sections": sections, "left_out": left_out}
    return await render(
        request,
        resources,
        "target.html",
        target=target,
        run=run,
        tab=tab,
        tabs=list(Tab),
        artifacts=stored,
        events=_with_durations(happened),
        asks_again_seconds=_asks_again_seconds(target),
        has_failed=target.state in _FAILED,
        actions=[each for each in actions_on(run) if may_act and _applies(each["action"], target)],
        **context,
    )


@router.get("/ui/targets/{target_id}/diff/{index}")
async def diff_part(
    request: Request,
    target_id: UUID,
    index: int,
    resources: Opened,
    view: DiffView = DiffView.UNIFIED,
    begin: Annotated[int, Query(ge=0, le=10_000_000)] = 0,
) -> Response:
    """Rows of one file of the diff, from a line on: what htmx asks for when a file is opened, or more of it wanted."""
    async with resources.pool.acquire() as conn:
        artifact = await artifacts.get_artifact(conn, TargetId(target_id), ArtifactKind.DIFF)
    files = read_diff(await _text(resources, artifact))
    if not 0 <= index < len(files):
        raise NotFound("file of the diff of target", f"{target_id}/{index}")
    file = files[index]
    context: dict[str, Any] = {
        "file": file,
        "part": part_of(file, view, begin=begin),
        "view": view,
        "target_id": target_id,
    }
    return await render(request, resources, "diff-part.html" if begin else "diff-file.html", **context)


def _applies(action: str, target: Target) -> bool:
    return why_not(BulkAction(action), BulkParameters.model_validate({}), target) is None


def _first_tab(target: Target, stored: dict[ArtifactKind, Artifact]) -> Tab:
    if target.state is TargetState.FAILED and ArtifactKind.LOG in stored:
        return Tab.LOG
    return Tab.CHANGES if ArtifactKind.DIFF in stored else Tab.TIMELINE


def _preferred(request: Request) -> DiffView:
    return DiffView.SPLIT if request.cookies.get("octobatch_diff") == DiffView.SPLIT else DiffView.UNIFIED


def _opened(files: list[FileDiff], view: DiffView, *, also: int | None) -> list[ShownFile]:
    shown: list[ShownFile] = []
    left = LINES_AT_ONCE
    for file in files:
        is_open = left > 0 or file.index == also
        part = part_of(file, view) if is_open else None
        left -= len(part.rows) if part else 0
        shown.append(ShownFile(file, part))
    return shown


def _with_durations(events: list[Event]) -> list[Happened]:
    before = [None, *events[:-1]] if events else []
    return [
        Happened(event, (event.occurred_at - earlier.occurred_at).total_seconds() if earlier else None)
        for event, earlier in zip(events, before, strict=True)
    ]


def _asks_again_seconds(target: Target) -> int | None:
    """How soon to look again; None where nothing moves before somebody acts."""
    if target.state in {TargetState.PENDING, TargetState.PREPARING, TargetState.PUBLISHING}:
        return 2
    return 10 if target.state is TargetState.PREPARED and target.publish_as is not PublishAs.NONE else None


async def _text(resources: Resources, artifact: Artifact | None) -> str:
    if artifact is None:
        return ""
    return artifact.unpacked(await resources.blobs.get(artifact.key)).decode(errors="replace")
