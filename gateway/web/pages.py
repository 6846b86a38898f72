"""The pages: campaigns, a campaign, a run that fills up as one watches, a target with its log and diff."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, FastAPI, Form, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from fastapi.staticfiles import StaticFiles
from fastapi.templating import Jinja2Templates

from shared.clock import utcnow
from shared.domain.artifact import ArtifactKind
from shared.domain.ids import RunId, TargetId
from shared.domain.target import TargetState
from shared.errors import NotAuthenticated, NotFound
from shared.postgres import artifacts, campaigns, runs, targets
from shared.postgres.events import list_events_of_target

from ..auth import (
    SESSION_COOKIE,
    SESSION_SECONDS,
    authenticate,
    close_session,
    open_session,
    session_principal,
)
from ..paging import Cursor, id_in, page
from ..resources import Opened, Resources
from ..runs.pace import get_standing, look_ahead
from ..runs.schemas import ShownRun
from ..targets.schemas import ShownTarget
from .diffs import diff_lines

FOLDER = Path(__file__).parent
PAGE = 100

router = APIRouter(include_in_schema=False)
_templates = Jinja2Templates(FOLDER / "templates")


def mount_assets(app: FastAPI) -> None:
    """Serves style sheet and script."""
    app.mount("/assets", StaticFiles(directory=FOLDER / "assets"))


@router.get("/ui/sign-in")
async def sign_in_page(request: Request) -> HTMLResponse:
    """Asks for an API key."""
    return _templates.TemplateResponse(request, "sign-in.html", {"error": None})


@router.post("/ui/sign-in")
async def sign_in(request: Request, resources: Opened, key: Annotated[str, Form(max_length=200)]) -> Response:
    """Opens a session for the holder of an API key."""
    try:
        async with resources.pool.acquire() as conn:
            pepper = resources.settings.api_key_pepper.get_secret_value()
            principal = await authenticate(conn, key.strip(), pepper=pepper)
    except NotAuthenticated as error:
        return _templates.TemplateResponse(request, "sign-in.html", {"error": str(error)}, status_code=401)
    response = RedirectResponse("/", 303)
    response.set_cookie(
        SESSION_COOKIE,
        await open_session(resources, principal),
        max_age=SESSION_SECONDS,
        httponly=True,
        samesite="strict",
        secure=resources.settings.public_url.startswith("https://"),
    )
    return response


@router.post("/ui/sign-out")
async def sign_out(request: Request, resources: Opened) -> Response:
    """Ends the session."""
    await close_session(resources, request)
    response = RedirectResponse("/ui/sign-in", 303)
    response.delete_cookie(SESSION_COOKIE)
    return response


@router.get("/")
async def campaigns_page(request: Request, resources: Opened) -> Response:
    """All campaigns and the latest runs."""
    async with resources.pool.acquire() as conn:
        found = await campaigns.page_campaigns(conn, limit=PAGE)
        latest = await runs.page_runs(conn, limit=10)
    return await _page(request, resources, "campaigns.html", campaigns=found, runs=latest)


@router.get("/ui/campaigns/{name}")
async def campaign_page(request: Request, name: str, resources: Opened) -> Response:
    """A campaign: its spec and its runs."""
    async with resources.pool.acquire() as conn:
        campaign = await campaigns.get_campaign(conn, name)
        version = await campaigns.get_spec_version(conn, campaign.id, campaign.current_version)
        found = await runs.page_runs(conn, campaign=name, limit=PAGE)
    return await _page(request, resources, "campaign.html", campaign=campaign, version=version, runs=found)


@router.get("/ui/runs/{run_id}")
async def run_page(
    request: Request,
    run_id: UUID,
    resources: Opened,
    state: TargetState | Literal[""] = "",
    repository: str = "",
    cursor: Cursor = None,
) -> Response:
    """A run: bars by state that move while it runs, and its targets."""
    after = id_in(cursor)
    async with resources.pool.acquire() as conn:
        run = await runs.get_run(conn, RunId(run_id))
        counts = await targets.count_by_state(conn, run.id)
        standing = await get_standing(conn, run, now=utcnow())
        rows = await targets.page_targets(
            conn,
            run.id,
            states=[state] if state else (),
            repository=repository or None,
            after=TargetId(after) if after else None,
            limit=PAGE + 1,
        )
    outlook = await look_ahead(resources, standing)
    shown = page(rows, limit=PAGE, position=lambda each: each.id, show=ShownTarget.model_validate)
    return await _page(
        request,
        resources,
        "run.html",
        run=ShownRun.model_validate(run),
        counts=counts,
        waits_for=[wait.in_words(utcnow()) for wait in outlook.waits_for],
        expected_at=outlook.expected_at,
        states=list(TargetState),
        rows=shown.items,
        next_cursor=shown.next_cursor,
        state=state,
        repository=repository,
    )


@router.get("/ui/targets/{target_id}")
async def target_page(request: Request, target_id: UUID, resources: Opened) -> Response:
    """A target: what happened to it, its log, and what changes."""
    async with resources.pool.acquire() as conn:
        target = await targets.get_target(conn, TargetId(target_id))
        happened = await list_events_of_target(conn, target_id=target.id)
    diff = await _artifact_text(resources, target.id, ArtifactKind.DIFF)
    log = await _artifact_text(resources, target.id, ArtifactKind.LOG)
    return await _page(
        request, resources, "target.html", target=target, events=happened, log=log, diff=diff_lines(diff)
    )


@router.get("/docs")
async def docs_page(request: Request) -> Response:
    """The API's reference, made of its OpenAPI description."""
    return _templates.TemplateResponse(request, "docs.html", {"api": request.app.openapi()})


async def _page(request: Request, resources: Resources, template: str, **context: Any) -> Response:
    principal = await session_principal(request, resources)
    if principal is None:
        return RedirectResponse("/ui/sign-in", 303)
    return _templates.TemplateResponse(request, template, {"principal": principal, **context})


async def _artifact_text(resources: Resources, target_id: TargetId, kind: ArtifactKind) -> str:
    try:
        async with resources.pool.acquire() as conn:
            artifact = await artifacts.get_artifact(conn, target_id, kind)
        return artifact.unpacked(await resources.blobs.get(artifact.key)).decode(errors="replace")
    except NotFound:
        return ""
