"""What checks say of a commit: rollup, suites, runs, statuses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from graphql import GraphQLResolveInfo

from ..state import CheckRun, CheckSuite, Kind, Repository, Status, encode
from .nodes import Commit, Ref, request, require
from .pages import Page, list_page
from .resolvers import Resolvers


@dataclass(frozen=True)
class Rollup:
    """All checks of a commit together."""

    commit: Commit
    state: str

    @property
    def key(self) -> tuple[int, str]:
        """What its node id is made of."""
        return self.commit.repository.id, self.commit.oid


@dataclass(frozen=True)
class CombinedStatus:
    """The commit statuses of a commit, without check runs."""

    commit: Commit
    contexts: list[Status]

    @property
    def state(self) -> str:
        """The worst of them."""
        states = {status.state for status in self.contexts}
        return next(state.upper() for state in ("error", "failure", "pending", "success") if state in states)


def rollup(commit: Commit, info: GraphQLResolveInfo) -> Rollup | None:
    """The rollup of a commit, if there is any check; for whoever may read check runs or statuses."""
    resource = "statuses" if request(info).viewer.may("statuses", "read") else "checks"
    require(info, commit.repository, resource)
    state = request(info).world.state.checks.rollup(commit.repository.id, commit.oid)
    return Rollup(commit, state) if state else None


def _status(commit: Commit, info: GraphQLResolveInfo) -> CombinedStatus | None:
    require(info, commit.repository, "statuses")
    found = request(info).world.state.checks.statuses(commit.repository.id, commit.oid)
    return CombinedStatus(commit, found) if found else None


def _suites(commit: Commit, info: GraphQLResolveInfo, **arguments: Any) -> Page[CheckSuite]:
    require(info, commit.repository, "checks")
    suites = request(info).world.state.checks.suites(commit.repository.id, commit.oid)
    return list_page(info, arguments, suites)


COMMIT_CHECKS: Resolvers = {"checkSuites": _suites, "status": _status, "statusCheckRollup": rollup}


def _contexts(it: Rollup, info: GraphQLResolveInfo, **arguments: Any) -> Page[CheckRun | Status]:
    """Runs and statuses, as far as the viewer may read them."""
    checks, viewer = request(info).world.state.checks, request(info).viewer
    runs = checks.runs(*it.key) if viewer.may("checks", "read") else []
    statuses = checks.statuses(*it.key) if viewer.may("statuses", "read") else []
    return list_page(info, arguments, [*runs, *statuses], checkRunCount=len(runs), statusContextCount=len(statuses))


def _context(it: CombinedStatus, _: GraphQLResolveInfo, *, name: str) -> Status | None:
    return next((status for status in it.contexts if status.context == name), None)


ROLLUP: Resolvers = {
    "commit": lambda it, _: it.commit,
    "contexts": _contexts,
    "id": lambda it, _: encode(Kind.ROLLUP, *it.key),
    "state": lambda it, _: it.state,
}
COMBINED_STATUS: Resolvers = {
    "commit": lambda it, _: it.commit,
    "context": _context,
    "contexts": lambda it, _: it.contexts,
    "id": lambda it, _: encode(Kind.COMBINED_STATUS, it.commit.repository.id, it.commit.oid),
    "state": lambda it, _: it.state,
}


def _repository(info: GraphQLResolveInfo, repository_id: int) -> Repository:
    return request(info).world.state.repositories.get(repository_id)


def _status_commit(status: Status, info: GraphQLResolveInfo) -> Commit:
    return Commit(_repository(info, status.repository_id), status.sha)


STATUS_CONTEXT: Resolvers = {
    "avatarUrl": lambda status, info: f"{request(info).world.base_url}/avatars/u/{status.creator_id}",
    "commit": _status_commit,
    "context": lambda status, _: status.context,
    "createdAt": lambda status, _: status.created_at,
    "creator": lambda status, info: request(info).world.state.accounts.get(status.creator_id),
    "description": lambda status, _: status.description,
    "id": lambda status, _: status.node_id,
    "state": lambda status, _: status.state.upper(),
    "targetUrl": lambda status, _: status.target_url,
}


def _suite(run: CheckRun, info: GraphQLResolveInfo) -> CheckSuite:
    return request(info).world.state.checks.get_suite(run.suite_id)


def _run_repository(run: CheckRun, info: GraphQLResolveInfo) -> Repository:
    return _repository(info, _suite(run, info).repository_id)


def _run_path(run: CheckRun, info: GraphQLResolveInfo) -> str:
    return f"/{_run_repository(run, info).full_name}/runs/{run.id}"


def _run_url(run: CheckRun, info: GraphQLResolveInfo) -> str:
    return f"{request(info).world.base_url}{_run_path(run, info)}"


CHECK_RUN: Resolvers = {
    "checkSuite": _suite,
    "completedAt": lambda run, _: run.completed_at,
    "conclusion": lambda run, _: run.conclusion and run.conclusion.upper(),
    "databaseId": lambda run, _: run.id,
    "detailsUrl": lambda run, info: run.details_url or _run_url(run, info),
    "externalId": lambda run, _: run.external_id,
    "id": lambda run, info: run.node_id(_suite(run, info).repository_id),
    "name": lambda run, _: run.name,
    "permalink": _run_url,
    "repository": _run_repository,
    "resourcePath": _run_path,
    "startedAt": lambda run, _: run.started_at,
    "status": lambda run, _: run.status.upper(),
    "summary": lambda run, _: run.output.get("summary"),
    "text": lambda run, _: run.output.get("text"),
    "title": lambda run, _: run.output.get("title"),
    "url": _run_url,
}


def _branch(suite: CheckSuite, info: GraphQLResolveInfo) -> Ref | None:
    repository = _repository(info, suite.repository_id)
    oid = request(info).world.git.branch(repository, suite.head_branch) if suite.head_branch else None
    return Ref(repository, f"refs/heads/{suite.head_branch}", oid) if oid else None


def _suite_path(suite: CheckSuite, info: GraphQLResolveInfo) -> str:
    return f"/{_repository(info, suite.repository_id).full_name}/commit/{suite.head_sha}/checks"


def _runs(suite: CheckSuite, info: GraphQLResolveInfo, **arguments: Any) -> Page[CheckRun]:
    return list_page(info, arguments, request(info).world.state.checks.runs_of_suite(suite.id))


CHECK_SUITE: Resolvers = {
    "app": lambda suite, info: request(info).world.state.apps.get(suite.app_id),
    "branch": _branch,
    "checkRuns": _runs,
    "commit": lambda suite, info: Commit(_repository(info, suite.repository_id), suite.head_sha),
    "conclusion": lambda suite, _: suite.conclusion and suite.conclusion.upper(),
    "createdAt": lambda suite, _: suite.created_at,
    "databaseId": lambda suite, _: suite.id,
    "id": lambda suite, _: suite.node_id,
    "repository": lambda suite, info: _repository(info, suite.repository_id),
    "resourcePath": _suite_path,
    "status": lambda suite, _: suite.status.upper(),
    "updatedAt": lambda suite, _: suite.updated_at,
    "url": lambda suite, info: f"{request(info).world.base_url}{_suite_path(suite, info)}",
}
