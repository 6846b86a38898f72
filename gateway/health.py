"""Whether the gateway lives, whether it is ready, and its metrics."""

from __future__ import annotations

import asyncio
from dataclasses import asdict

import asyncpg
from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

import migrations
from shared.domain.drift import drift_text
from shared.domain.installation import Installation
from shared.observability.health import PATIENCE_SECONDS, Health, check_stores
from shared.postgres.installations import list_troubled

from .resources import Opened, Resources

router = APIRouter(tags=["health"])

MOST_NAMED = 10
"""Installations that the health detail names."""


@router.get("/healthz")
async def healthz() -> dict[str, str]:
    """The process answers."""
    return {"status": "ok"}


@router.get("/readyz")
async def readyz(resources: Opened) -> JSONResponse:
    """The stores answer and the database's schema is the one that this code knows; 503 otherwise.

    `installations` names those that need somebody, and never makes the gateway unready.
    """
    checks = [*await check_stores(resources.pool, resources.redis)]
    if all(check.is_healthy for check in checks):
        checks.append(await _check_schema(resources))
    is_ready = all(check.is_healthy for check in checks)
    if is_ready:
        checks.append(await _tell_of_installations(resources))
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


async def _tell_of_installations(resources: Resources) -> Health:
    try:
        async with asyncio.timeout(PATIENCE_SECONDS), resources.pool.acquire() as conn:
            troubled = await list_troubled(conn)
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
        detail = "not known: Postgres does not answer"
    else:
        told = [text for each in troubled if (text := _trouble_text(each))]
        more = [f"and {len(told) - MOST_NAMED} more"] if len(told) > MOST_NAMED else []
        detail = "; ".join([*told[:MOST_NAMED], *more])
    return Health(name="installations", is_healthy=True, duration_ms=0.0, detail=detail)


def _trouble_text(installation: Installation) -> str:
    parts = [drift_text(installation), f"{installation.account} is suspended" if installation.suspended_at else ""]
    return "; ".join(filter(None, parts))
