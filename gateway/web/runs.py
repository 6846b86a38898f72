"""A run: how it stands, live while it moves."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter, Request, Response

from shared.domain.ids import RunId
from shared.domain.target import TargetState
from shared.postgres import targets
from shared.postgres.overviews import NEEDS_SOMEBODY

from ..resources import Opened
from .kit import render
from .standing import STATES, read_standing

router = APIRouter(include_in_schema=False)

FIRST = 25
"""Targets that the page of a run shows; the table of all of them is a page of its own."""


@router.get("/ui/runs/{run_id}")
async def run_page(request: Request, run_id: UUID, resources: Opened) -> Response:
    """A run: how it stands, live while it moves, and its first targets, those before that need somebody."""
    standing = await read_standing(resources, RunId(run_id))
    async with resources.pool.acquire() as conn:
        first = await targets.page_targets(conn, standing.run.id, states=NEEDS_SOMEBODY, limit=FIRST)
        others = [state for state in TargetState if state not in NEEDS_SOMEBODY]
        if room := FIRST - len(first):
            first += await targets.page_targets(conn, standing.run.id, states=others, limit=room)
    return await render(
        request,
        resources,
        "run.html",
        standing=standing,
        run=standing.run,
        states=STATES,
        rows=first,
    )


@router.get("/ui/runs/{run_id}/standing")
async def run_standing(request: Request, run_id: UUID, resources: Opened) -> Response:
    """The part of the page that moves with the run."""
    standing = await read_standing(resources, RunId(run_id))
    return await render(request, resources, "run-standing.html", standing=standing, run=standing.run, states=STATES)
