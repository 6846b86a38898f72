"""What people and CI do with pull requests."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request

from ..actions import checks, conversation, installing, merging, pulls
from ..state import App, Pull
from ..views.pulls import pull_request_page
from ..world import World
from .handling import Nothing, account_of, person, pull_of
from .requests import By, Merge, NewCheck, NewReview

CI = "sandbox-ci"
"""The slug of the App whose check runs the sandbox makes."""


def list_pulls(world: World, request: Request, _: Nothing) -> Any:
    """GET /pulls, all or those of an owner or in a state (`open`, `closed`, `merged`)."""
    where = "1"
    parameters: list[Any] = []
    if owner := request.query_params.get("owner"):
        where += " AND repository_id IN (SELECT id FROM repositories WHERE owner_id = ?)"
        parameters.append(account_of(world, owner).id)
    if state := request.query_params.get("state"):
        conditions = {"merged": "merged_at IS NOT NULL", "closed": "state = 'closed' AND merged_at IS NULL"}
        where += " AND " + conditions.get(state, "state = 'open'")
    return [describe(world, pull) for pull in world.state.pulls.query(where, parameters)]


def describe(world: World, pull: Pull) -> dict[str, Any]:
    """A pull request in brief."""
    repository = world.state.repositories.get(pull.repository_id)
    return {
        "repository": repository.full_name,
        "number": pull.number,
        "id": pull.id,
        "node_id": pull.node_id,
        "url": pull_request_page(world, repository, pull),
        "title": pull.title,
        "body": pull.body,
        "state": "merged" if pull.merged else pull.state,
        "draft": pull.draft,
        "author": world.state.accounts.get(pull.author_id).login,
        "head_ref": pull.head_ref,
        "head_sha": pull.head_sha,
        "base_ref": pull.base_ref,
        "labels": [label.name for label in world.state.pulls.labels(pull.id)],
        "reviewers": [account.login for account in world.state.pulls.requested_reviewers(pull.id)],
        "assignees": [account.login for account in world.state.pulls.assignees(pull.id)],
    }


def merge(world: World, request: Request, body: Merge) -> Any:
    """POST …/merge"""
    merged = merging.merge(world, person(world, body.login), pull_of(world, request), method=body.method)
    return describe(world, merged)


def close(world: World, request: Request, body: By) -> Any:
    """POST …/close"""
    return describe(world, pulls.close(world, person(world, body.login), pull_of(world, request)))


def reopen(world: World, request: Request, body: By) -> Any:
    """POST …/reopen"""
    return describe(world, pulls.reopen(world, person(world, body.login), pull_of(world, request)))


def review(world: World, request: Request, body: NewReview) -> Any:
    """POST …/reviews"""
    given = conversation.submit_review(
        world, person(world, body.login), pull_of(world, request), event=body.event, body=body.body or "Reviewed."
    )
    return {"id": given.id, "state": given.state}


def check(world: World, request: Request, body: NewCheck) -> Any:
    """POST …/checks: a new run on the head, or the conclusion of the one of that name in progress."""
    pull = pull_of(world, request)
    repository = world.state.repositories.get(pull.repository_id)
    app = _ci(world)
    there = world.state.checks.runs(repository.id, pull.head_sha)
    waiting = [run for run in there if run.name == body.name and run.status != "completed"]
    if waiting and body.conclusion:
        run = checks.update_run(world, app, repository, waiting[0], conclusion=body.conclusion)
    else:
        run = checks.create_run(
            world,
            app,
            repository,
            name=body.name,
            head_sha=pull.head_sha,
            status="in_progress",
            conclusion=body.conclusion,
        )
    return {"id": run.id, "status": run.status, "conclusion": run.conclusion}


def _ci(world: World) -> App:
    found = world.state.apps.by_slug(CI)
    if found is not None:
        return found
    made = installing.create_app(
        world,
        person(world, CI),
        name="Sandbox CI",
        slug=CI,
        permissions={"checks": "write"},
        event_names=[],
        webhook_url=None,
        webhook_secret=None,
    )
    return made.app
