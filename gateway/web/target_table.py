"""Targets in a table that is filtered, sorted and acted on: those of a run, and those of all runs that still wait."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request, Response

from shared.domain.bulk import DESTRUCTIVE, NEEDS_ONE_OF, ON_PREVIEWS, TAKES, BulkAction
from shared.domain.ids import RunId
from shared.domain.roles import Role
from shared.domain.run import Run, is_finished
from shared.domain.target import ChecksState, ReviewState, TargetState
from shared.domain.target_views import TargetFacet, TargetRow
from shared.postgres import namespaces, runs, target_table, waves
from shared.postgres.pool import Connection

from ..auth import SignedIn
from ..resources import Opened, Resources
from .kit import PAGE, render, wants_part
from .table_views import TableView, view_of

router = APIRouter(include_in_schema=False)

ACTIONS = {
    BulkAction.PUBLISH: "Publish",
    BulkAction.UNDRAFT: "Mark ready for review",
    BulkAction.COMMENT: "Comment",
    BulkAction.LABEL: "Add labels",
    BulkAction.REQUEST_REVIEW: "Request reviews",
    BulkAction.REBASE: "Rebase",
    BulkAction.RERUN: "Run the steps again",
    BulkAction.RETRY: "Retry",
    BulkAction.MERGE: "Merge",
    BulkAction.ENABLE_AUTO_MERGE: "Enable auto-merge",
    BulkAction.CLOSE: "Close",
    BulkAction.REOPEN: "Reopen",
    BulkAction.DETACH: "Detach",
    BulkAction.ATTACH: "Follow again",
}
"""What the actions are called on pages."""

_VALUES: dict[TargetFacet, Sequence[str]] = {
    TargetFacet.STATE: list(TargetState),
    TargetFacet.REVIEW: list(ReviewState),
    TargetFacet.CHECKS: list(ChecksState),
    TargetFacet.WARNINGS: ("true", "false"),
}
"""In the order in which they are shown."""


@dataclass(frozen=True, kw_only=True)
class FacetValue:
    """A value that can be chosen, and how many targets it would let through."""

    value: str
    count: int
    is_chosen: bool


@dataclass(frozen=True, kw_only=True)
class Facet:
    """A facet with the values that there are."""

    facet: TargetFacet
    values: list[FacetValue]


@router.get("/ui/targets")
async def targets_page(request: Request, resources: Opened, principal: SignedIn) -> Response:
    """Which repositories still wait, over all campaigns."""
    view = view_of(request.url.path, request.query_params, None, namespaces=principal.namespaces(Role.VIEWER))
    may_act = principal.allows_somewhere(Role.OPERATOR)
    return await _table(request, resources, view, "targets.html", run=None, may_act=may_act)


@router.get("/ui/runs/{run_id}/targets")
async def run_targets_page(request: Request, run_id: UUID, resources: Opened, principal: SignedIn) -> Response:
    """The targets of a run. Asked for by htmx it is the table alone, which the page of a run may hold."""
    async with resources.pool.acquire() as conn:
        run = await runs.get_run(conn, RunId(run_id))
        may_act = principal.allows(Role.OPERATOR, await namespaces.of_run(conn, run.id))
    view = view_of(request.url.path, request.query_params, run.id, namespaces=None)
    return await _table(request, resources, view, "targets.html", run=run, may_act=may_act)


async def _table(
    request: Request, resources: Resources, view: TableView, template: str, *, run: Run | None, may_act: bool
) -> Response:
    async with resources.pool.acquire() as conn:
        rows = await target_table.page_table(
            conn, view.scope, view.wanted, sort=view.sort, after=view.after, limit=PAGE + 1
        )
        context: dict[str, Any] = {"view": view, "run": run, "rows": rows[:PAGE], "following": _following(view, rows)}
        if view.after and wants_part(request):
            return await render(request, resources, "targets-rows.html", **context)
        counts = await target_table.count_table(conn, view.scope, view.wanted)
        choices = await _choices(conn, view)
    response = await render(
        request,
        resources,
        "targets-table.html" if wants_part(request) else template,
        room="Campaigns" if run else "Targets",
        is_live=run is not None and not is_finished(run.state),
        counts=counts,
        facets=_facets(counts.facets, view),
        actions=actions_on(run) if may_act else [],
        **choices,
        **context,
    )
    if request.headers.get("hx-target") == "targets":
        response.headers["HX-Push-Url"] = view.address
    return response


def _following(view: TableView, rows: Sequence[TargetRow]) -> str | None:
    return view.following(target_table.place_of(rows[PAGE - 1], view.sort)) if len(rows) > PAGE else None


async def _choices(conn: Connection, view: TableView) -> dict[str, Any]:
    """What the filter offers beside the facets."""
    if not view.scope.run_id:
        return {"groups": [], "waves": []}
    return {
        "groups": await target_table.list_groups(conn, view.scope.run_id),
        "waves": await waves.list_waves(conn, view.scope.run_id),
    }


def _facets(counts: Mapping[TargetFacet, Mapping[str, int]], view: TableView) -> list[Facet]:
    chosen = {
        TargetFacet.STATE: view.wanted.states,
        TargetFacet.REVIEW: view.wanted.review_states,
        TargetFacet.CHECKS: view.wanted.checks_states,
        TargetFacet.WARNINGS: () if view.wanted.has_warnings is None else (str(view.wanted.has_warnings).lower(),),
    }
    facets = [
        Facet(
            facet=facet,
            values=[
                FacetValue(value=value, count=counts[facet].get(value, 0), is_chosen=value in chosen[facet])
                for value in _VALUES[facet]
                if counts[facet].get(value) or value in chosen[facet]
            ],
        )
        for facet in TargetFacet
    ]
    return [each for each in facets if len(each.values) > 1 or any(value.is_chosen for value in each.values)]


def actions_on(run: Run | None) -> list[dict[str, Any]]:
    """What can be done to targets, for the script that asks."""
    return [told(action) for action in ACTIONS if run is None or not run.dry_run or action in ON_PREVIEWS]


def told(action: BulkAction) -> dict[str, Any]:
    """What a script has to know of an action."""
    return {
        "action": action.value,
        "name": ACTIONS[action],
        "takes": sorted(TAKES.get(action, ())),
        "needsOne": action in NEEDS_ONE_OF,
        "isDestructive": action in DESTRUCTIVE,
    }
