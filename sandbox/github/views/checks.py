"""Check suites, check runs and commit statuses."""

from __future__ import annotations

from typing import Any

import pygit2

from ..state import CheckRun, CheckSuite, Pull, Repository, Status
from ..world import World
from .accounts import Json, integration, simple_user
from .repositories import repository as repository_view
from .repositories import repository_url


def check_run(world: World, repository: Repository, run: CheckRun) -> Json:
    """A check run."""
    suite = world.state.checks.get_suite(run.suite_id)
    url = f"{repository_url(world, repository)}/check-runs/{run.id}"
    html = f"{world.base_url}/{repository.full_name}/runs/{run.id}"
    return {
        "id": run.id,
        "name": run.name,
        "node_id": run.node_id(repository.id),
        "head_sha": suite.head_sha,
        "external_id": run.external_id,
        "url": url,
        "html_url": html,
        "details_url": run.details_url or html,
        "status": run.status,
        "conclusion": run.conclusion,
        "started_at": run.started_at,
        "completed_at": run.completed_at,
        "output": {
            "title": run.output.get("title"),
            "summary": run.output.get("summary"),
            "text": run.output.get("text"),
            "annotations_count": 0,
            "annotations_url": f"{url}/annotations",
        },
        "check_suite": {"id": suite.id},
        "app": integration(world, world.state.apps.get(suite.app_id)),
        "pull_requests": _pulls(world, repository, suite.head_sha),
    }


def check_suite(world: World, repository: Repository, suite: CheckSuite) -> Json:
    """A check suite."""
    url = f"{repository_url(world, repository)}/check-suites/{suite.id}"
    commit = world.git.open(repository)[suite.head_sha].peel(pygit2.Commit)
    people = {
        role: {"name": person.name, "email": person.email}
        for role, person in (("author", commit.author), ("committer", commit.committer))
    }
    return {
        "id": suite.id,
        "node_id": suite.node_id,
        "head_branch": suite.head_branch,
        "head_sha": suite.head_sha,
        "status": suite.status,
        "conclusion": suite.conclusion,
        "url": url,
        "before": str(commit.parent_ids[0]) if commit.parent_ids else None,
        "after": suite.head_sha,
        "pull_requests": _pulls(world, repository, suite.head_sha),
        "app": integration(world, world.state.apps.get(suite.app_id)),
        "repository": repository_view(world, repository),
        "created_at": suite.created_at,
        "updated_at": suite.updated_at,
        "rerequestable": True,
        "runs_rerequestable": True,
        "latest_check_runs_count": len(world.state.checks.runs_of_suite(suite.id)),
        "check_runs_url": f"{url}/check-runs",
        "head_commit": {
            "id": suite.head_sha,
            "tree_id": str(commit.tree_id),
            "message": commit.message,
            "timestamp": suite.created_at,
            **people,
        },
    }


def status(world: World, repository: Repository, shown: Status, *, simple: bool = False) -> Json:
    """A commit status; the `simple` one, in a combined status, says not who set it."""
    creator = world.state.accounts.get(shown.creator_id)
    json: dict[str, Any] = {
        "id": shown.id,
        "node_id": shown.node_id,
        "url": f"{repository_url(world, repository)}/statuses/{shown.sha}",
        "avatar_url": f"{world.base_url}/avatars/u/{creator.id}",
        "state": shown.state,
        "description": shown.description,
        "target_url": shown.target_url,
        "context": shown.context,
        "created_at": shown.created_at,
        "updated_at": shown.updated_at,
    }
    return json if simple else json | {"creator": simple_user(world, creator)}


def _pulls(world: World, repository: Repository, sha: str) -> list[Json]:
    found = world.state.pulls.query("repository_id = ? AND head_sha = ? AND state = 'open'", [repository.id, sha])
    return [_pull_request_minimal(world, repository, pull) for pull in found]


def _pull_request_minimal(world: World, base: Repository, pull: Pull) -> Json:
    url = repository_url(world, base)
    repo = {"id": base.id, "url": url, "name": base.name}
    return {
        "id": pull.id,
        "number": pull.number,
        "url": f"{url}/pulls/{pull.number}",
        "head": {"ref": pull.head_ref, "sha": pull.head_sha, "repo": repo},
        "base": {"ref": pull.base_ref, "sha": pull.base_sha, "repo": repo},
    }
