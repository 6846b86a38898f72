"""Whether the gateway lives, whether it is ready, how all of Octobatch does, and this process's metrics."""

from __future__ import annotations

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from pydantic import Field

from .resources import Opened
from .schemas import Shown

router = APIRouter(tags=["health"])


class ShownHealth(Shown):
    """What one check found."""

    name: str
    is_healthy: bool
    duration_ms: float = Field(description="how long the answer took; an answer is kept for a second, GitHub's for 15")
    detail: str = Field(description="what is wrong, or else what is worth telling")


class ShownLife(Shown):
    """The process answers."""

    alive: bool


class ShownReadiness(Shown):
    """Whether the gateway can take requests."""

    ready: bool
    checks: list[ShownHealth]


class ShownHealthReport(Shown):
    """How the gateway does, and all that it needs."""

    healthy: bool
    checks: list[ShownHealth]


@router.get("/livez")
async def livez() -> ShownLife:
    """The process answers. Nothing else is looked at: a restart mends no store that is away."""
    return ShownLife(alive=True)


@router.get(
    "/readyz",
    response_model=ShownReadiness,
    responses={503: {"model": ShownReadiness, "description": "It cannot take requests now"}},
)
async def readyz(resources: Opened) -> JSONResponse:
    """Postgres and Redis answer, the database's schema is the one that this code knows, the streams have their groups.

    503 otherwise, and when the gateway is stopping.
    """
    report = await resources.probes.readiness()
    return JSONResponse(report.shown("ready"), 200 if report.is_healthy else 503)


@router.get(
    "/healthz",
    response_model=ShownHealthReport,
    responses={503: {"model": ShownHealthReport, "description": "Something is not well"}},
)
async def healthz(resources: Opened) -> JSONResponse:
    """The same, and the blob store, GitHub, the workers, and what installations lack; 503 where something is not well.

    Meant for people and alerts. What restarts a process or takes it out of traffic must ask `/livez` and `/readyz`.
    """
    report = await resources.probes.health()
    return JSONResponse(report.shown("healthy"), 200 if report.is_healthy else 503)


@router.get("/metrics", response_class=Response)
async def metrics() -> Response:
    """Prometheus metrics of this process."""
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)
