"""How the gateway does, and all that it needs."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from ..resources import Opened
from .kit import render

router = APIRouter(include_in_schema=False)


@router.get("/ui/health")
async def health_page(request: Request, resources: Opened) -> Response:
    """What `/healthz` says; what is not well comes first."""
    report = await resources.probes.health()
    checks = sorted(report.checks, key=lambda each: each.is_healthy)
    return await render(request, resources, "health.html", room="Health", checks=checks, is_healthy=report.is_healthy)
