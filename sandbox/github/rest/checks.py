"""Check runs, check suites and commit statuses."""

from __future__ import annotations

from ..actions import checks
from ..errors import forbidden, not_found
from ..state import CheckRun, CheckSuite, Repository
from ..views.checks import check_run, check_suite
from ..views.checks import status as status_view
from ..views.repositories import repository as repository_view
from ..views.repositories import repository_url
from .commits import find_commit
from .endpoint import Call, Endpoint, Reply, change, get


def create_check_run(call: Call) -> Reply:
    """POST /repos/{owner}/{repo}/check-runs"""
    repository = call.repository("checks", "write")
    run = checks.create_run(
        call.world,
        call.viewer.app,
        repository,
        name=call.required_text("name"),
        head_sha=call.required_text("head_sha"),
        status=call.text("status") or "queued",
        conclusion=call.text("conclusion"),
        details_url=call.text("details_url"),
        external_id=call.text("external_id") or "",
        output=call.object("output"),
    )
    return Reply(status=201, body=check_run(call.world, repository, run))


def update_check_run(call: Call) -> Reply:
    """PATCH /repos/{owner}/{repo}/check-runs/{check_run_id}; only the App that made it may"""
    repository = call.repository("checks", "write")
    run, suite = _run(call, repository)
    if suite.app_id != call.viewer.app.id:
        raise forbidden("Invalid app_id `" + str(call.viewer.app.id) + "` - check run can only be modified by its App")
    named = ("name", "status", "conclusion", "details_url", "external_id")
    changes = {name: call.text(name) for name in named if call.body.get(name) is not None}
    output = call.object("output")
    run = checks.update_run(
        call.world, call.viewer.app, repository, run, **changes, **({"output": output} if output else {})
    )
    return Reply(body=check_run(call.world, repository, run))


def get_check_run(call: Call) -> Reply:
    """GET /repos/{owner}/{repo}/check-runs/{check_run_id}"""
    repository = call.repository("checks", "read")
    return Reply(body=check_run(call.world, repository, _run(call, repository)[0]))


def list_check_runs(call: Call) -> Reply:
    """GET /repos/{owner}/{repo}/commits/{ref}/check-runs"""
    repository = call.repository("checks", "read")
    commit = find_commit(call, repository, call.path["ref"])
    found = call.world.state.checks.runs(repository.id, str(commit.id))
    name, status = call.query.get("check_name"), call.query.get("status")
    found = [run for run in found if name in {None, run.name} and status in {None, run.status}]
    return Reply(
        body={
            "total_count": len(found),
            "check_runs": [check_run(call.world, repository, run) for run in call.page(found)],
        }
    )


def list_check_suites(call: Call) -> Reply:
    """GET /repos/{owner}/{repo}/commits/{ref}/check-suites"""
    repository = call.repository("checks", "read")
    commit = find_commit(call, repository, call.path["ref"])
    found = call.world.state.checks.suites(repository.id, str(commit.id))
    return Reply(
        body={
            "total_count": len(found),
            "check_suites": [check_suite(call.world, repository, suite) for suite in call.page(found)],
        }
    )


def get_combined_status(call: Call) -> Reply:
    """GET /repos/{owner}/{repo}/commits/{ref}/status"""
    repository = call.repository("statuses", "read")
    sha = str(find_commit(call, repository, call.path["ref"]).id)
    found = call.world.state.checks.statuses(repository.id, sha)
    states = {status.state for status in found}
    if states & {"failure", "error"}:
        combined = "failure"
    else:
        combined = "pending" if not states or "pending" in states else "success"
    url = f"{repository_url(call.world, repository)}/commits/{sha}"
    return Reply(
        body={
            "state": combined,
            "statuses": [status_view(call.world, repository, each, simple=True) for each in call.page(found)],
            "sha": sha,
            "total_count": len(found),
            "repository": repository_view(call.world, repository),
            "commit_url": url,
            "url": f"{url}/status",
        }
    )


def create_status(call: Call) -> Reply:
    """POST /repos/{owner}/{repo}/statuses/{sha}"""
    repository = call.repository("statuses", "write")
    status = checks.set_status(
        call.world,
        call.viewer.account,
        repository,
        sha=call.path["sha"],
        state=call.required_text("state"),
        context=call.text("context") or "default",
        description=call.text("description"),
        target_url=call.text("target_url"),
    )
    return Reply(status=201, body=status_view(call.world, repository, status))


def _run(call: Call, repository: Repository) -> tuple[CheckRun, CheckSuite]:
    try:
        run = call.world.state.checks.get_run(call.path["check_run_id"])
    except KeyError:
        raise not_found() from None
    suite = call.world.state.checks.get_suite(run.suite_id)
    if suite.repository_id != repository.id:
        raise not_found()
    return run, suite


_REPOSITORY = "/repos/{owner}/{repo}"
ENDPOINTS: list[Endpoint] = [
    change("POST", f"{_REPOSITORY}/check-runs", create_check_run),
    get(f"{_REPOSITORY}/check-runs/{{check_run_id:int}}", get_check_run),
    change("PATCH", f"{_REPOSITORY}/check-runs/{{check_run_id:int}}", update_check_run),
    get(f"{_REPOSITORY}/commits/{{ref:path}}/check-runs", list_check_runs),
    get(f"{_REPOSITORY}/commits/{{ref:path}}/check-suites", list_check_suites),
    get(f"{_REPOSITORY}/commits/{{ref:path}}/status", get_combined_status),
    change("POST", f"{_REPOSITORY}/statuses/{{sha}}", create_status),
]
