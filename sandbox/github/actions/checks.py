"""Check runs and commit statuses, and the auto-merges that wait for them."""

from __future__ import annotations

from typing import Any

from ..errors import unprocessable
from ..state import Account, App, CheckRun, Repository, Status
from ..views.accounts import simple_user
from ..world import World
from . import events
from .merging import merge_if_ready

CONCLUSIONS = frozenset(
    {"action_required", "cancelled", "failure", "neutral", "success", "skipped", "stale", "timed_out"}
)


def create_run(
    world: World,
    app: App,
    repository: Repository,
    *,
    name: str,
    head_sha: str,
    status: str = "queued",
    conclusion: str | None = None,
    details_url: str | None = None,
    external_id: str = "",
    output: dict[str, Any] | None = None,
) -> CheckRun:
    """A check run of an App on a commit; one with a conclusion is completed."""
    _check_conclusion(conclusion)
    if world.git.open(repository).get(head_sha) is None:
        raise unprocessable(f"No commit found for SHA: {head_sha}")
    now = world.clock.stamp()
    suite = world.state.checks.ensure_suite(
        repository_id=repository.id,
        app_id=app.id,
        head_sha=head_sha,
        head_branch=_branch_at(world, repository, head_sha),
        now=now,
    )
    run = world.state.checks.add_run(
        suite_id=suite.id,
        name=name,
        status="completed" if conclusion else status,
        conclusion=conclusion,
        details_url=details_url,
        external_id=external_id,
        output=output or {},
        started_at=now,
        completed_at=now if conclusion else None,
    )
    sender = world.state.accounts.get(app.bot_id)
    events.check_run(world, "created", repository, run, sender)
    _settle(world, repository, run, sender)
    return run


def update_run(world: World, app: App, repository: Repository, run: CheckRun, **changes: Any) -> CheckRun:
    """Changes a run; a conclusion completes it."""
    _check_conclusion(changes.get("conclusion"))
    now = world.clock.stamp()
    if changes.get("conclusion"):
        changes |= {"status": "completed", "completed_at": now}
    run = world.state.checks.update_run(run.id, now=now, **changes)
    _settle(world, repository, run, world.state.accounts.get(app.bot_id))
    return run


def set_status(
    world: World,
    actor: Account,
    repository: Repository,
    *,
    sha: str,
    state: str,
    context: str = "default",
    description: str | None = None,
    target_url: str | None = None,
) -> Status:
    """A commit status."""
    if state not in {"error", "failure", "pending", "success"}:
        raise unprocessable("Validation Failed", [{"resource": "Status", "code": "custom", "field": "state"}])
    if world.git.open(repository).get(sha) is None:
        raise unprocessable(f"No commit found for SHA: {sha}")
    now = world.clock.stamp()
    status = world.state.checks.add_status(
        repository_id=repository.id,
        sha=sha,
        context=context,
        state=state,
        description=description,
        target_url=target_url,
        creator_id=actor.id,
        created_at=now,
        updated_at=now,
    )
    facts: dict[str, Any] = {
        "id": status.id,
        "sha": sha,
        "name": repository.full_name,
        "context": context,
        "state": state,
        "description": description,
        "target_url": target_url,
        "avatar_url": simple_user(world, actor)["avatar_url"],
        "commit": {"sha": sha},
        "branches": [],
        "created_at": now,
        "updated_at": now,
    }
    events.status(world, repository, facts, actor)
    merge_if_ready(world, repository, sha)
    return status


def _check_conclusion(conclusion: str | None) -> None:
    if conclusion is not None and conclusion not in CONCLUSIONS:
        raise unprocessable("Validation Failed", [{"resource": "CheckRun", "code": "custom", "field": "conclusion"}])


def _branch_at(world: World, repository: Repository, sha: str) -> str | None:
    """The branch of an open pull request that is at the commit."""
    found = world.state.pulls.query("repository_id = ? AND head_sha = ?", [repository.id, sha], limit=1)
    return found[0].head_ref if found else None


def _settle(world: World, repository: Repository, run: CheckRun, sender: Account) -> None:
    if run.status != "completed":
        return
    events.check_run(world, "completed", repository, run, sender)
    suite = world.state.checks.get_suite(run.suite_id)
    if suite.status == "completed":
        events.check_suite(world, repository, suite, sender)
    merge_if_ready(world, repository, suite.head_sha)
