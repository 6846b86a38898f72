"""Whether the gateway lives, whether it is ready, and its metrics."""

from __future__ import annotations

from dataclasses import asdict

import asyncpg
from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

import migrations
from shared.observability.health import Health, check_stores

from .resources import Opened, Resources

router = APIRouter(tags=["health"])


@router.get("/healthz")
async def healthz() -> dict[str, str]:
    """The process answers."""
    return {"status": "ok"}


@router.get("/readyz")
async def readyz(resources: Opened) -> JSONResponse:
    """The stores answer and the database's schema is the one that this code knows; 503 otherwise."""
    checks = [*await check_stores(resources.pool, resources.redis)]
    if all(check.is_healthy for check in checks):
        checks.append(await _check_schema(resources))
    is_ready = all(check.is_healthy for check in checks)
    return JSONResponse({"ready": is_ready, "checks": [asdict(each) for each in checks]}, 200 if is_ready else 503)


@router.get("/metrics", response_class=Response)
async def metrics() -> Response:
    """Prometheus metrics of this process."""
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)


async def _check_schema(resources: Resources) -> Health:
    try:
        current = await resources.pool.fetchval("SELECT version_num FROM alembic_version")
    except asyncpg.UndefinedTableError:
        current = None
    wanted = migrations.head()
    detail = "" if current == wanted else f"the schema is at {current}, this version needs {wanted}"
    return Health(name="schema", is_healthy=not detail, duration_ms=0.0, detail=detail)
