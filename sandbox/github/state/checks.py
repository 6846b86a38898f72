"""What checks say of commits: check suites and their runs (of Apps), and commit statuses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .node_ids import Kind, encode
from .store import Store, record, records

FAILURES = frozenset({"failure", "timed_out", "cancelled", "action_required", "startup_failure", "stale"})
"""Conclusions of check runs that make a commit fail."""


@dataclass(frozen=True, kw_only=True)
class CheckSuite:
    """All runs of one App on one commit."""

    id: int
    repository_id: int
    app_id: int
    head_sha: str
    head_branch: str | None
    status: str
    conclusion: str | None
    created_at: str
    updated_at: str

    @property
    def node_id(self) -> str:
        """`CS_…`."""
        return encode(Kind.CHECK_SUITE, self.repository_id, self.id)


@dataclass(frozen=True, kw_only=True)
class CheckRun:
    """One check; `output` holds `title`, `summary` and `text`."""

    id: int
    suite_id: int
    name: str
    status: str
    conclusion: str | None
    external_id: str
    details_url: str | None
    output: dict[str, Any]
    started_at: str
    completed_at: str | None

    def node_id(self, repository_id: int) -> str:
        """`CR_…`."""
        return encode(Kind.CHECK_RUN, repository_id, self.id)


@dataclass(frozen=True, kw_only=True)
class Status:
    """A commit status; the newest of a `context` counts."""

    id: int
    repository_id: int
    sha: str
    context: str
    state: str
    description: str | None
    target_url: str | None
    creator_id: int
    created_at: str
    updated_at: str

    @property
    def node_id(self) -> str:
        """`SC_…`."""
        return encode(Kind.STATUS, self.repository_id, self.id)


class Checks:
    """Check suites, check runs and statuses by commit."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def ensure_suite(
        self, *, repository_id: int, app_id: int, head_sha: str, head_branch: str | None, now: str
    ) -> CheckSuite:
        """The App's suite on that commit, made if there is none."""
        row = self._store.row(
            "SELECT * FROM check_suites WHERE repository_id = ? AND head_sha = ? AND app_id = ?",
            [repository_id, head_sha, app_id],
        )
        if row:
            return record(CheckSuite, row)
        row_id = self._store.insert(
            "check_suites",
            repository_id=repository_id,
            app_id=app_id,
            head_sha=head_sha,
            head_branch=head_branch,
            status="queued",
            created_at=now,
            updated_at=now,
        )
        return self.get_suite(row_id)

    def get_suite(self, suite_id: int) -> CheckSuite:
        """The suite of that id; raises `KeyError`."""
        row = self._store.row("SELECT * FROM check_suites WHERE id = ?", [suite_id])
        if row is None:
            raise KeyError(suite_id)
        return record(CheckSuite, row)

    def suites(self, repository_id: int, head_sha: str) -> list[CheckSuite]:
        """The suites on a commit."""
        rows = self._store.rows(
            "SELECT * FROM check_suites WHERE repository_id = ? AND head_sha = ? ORDER BY id",
            [repository_id, head_sha],
        )
        return records(CheckSuite, rows)

    def add_run(self, **columns: Any) -> CheckRun:
        """A new run from its columns; the suite follows."""
        run = self.get_run(self._store.insert("check_runs", **columns))
        self._settle_suite(run.suite_id, run.completed_at or run.started_at)
        return run

    def update_run(self, run_id: int, *, now: str, **columns: Any) -> CheckRun:
        """Sets columns of a run; the suite follows."""
        self._store.update("check_runs", run_id, **columns)
        run = self.get_run(run_id)
        self._settle_suite(run.suite_id, now)
        return run

    def get_run(self, run_id: int) -> CheckRun:
        """The run of that id; raises `KeyError`."""
        row = self._store.row("SELECT * FROM check_runs WHERE id = ?", [run_id])
        if row is None:
            raise KeyError(run_id)
        return record(CheckRun, row)

    def runs_of_suite(self, suite_id: int) -> list[CheckRun]:
        """The runs of a suite, the newest of each name."""
        rows = self._store.rows(
            "SELECT * FROM check_runs WHERE id IN"
            " (SELECT max(id) FROM check_runs WHERE suite_id = ? GROUP BY name) ORDER BY id",
            [suite_id],
        )
        return records(CheckRun, rows)

    def runs(self, repository_id: int, head_sha: str) -> list[CheckRun]:
        """The runs on a commit, the newest of each name and App."""
        return [run for suite in self.suites(repository_id, head_sha) for run in self.runs_of_suite(suite.id)]

    def add_status(self, **columns: Any) -> Status:
        """A new commit status from its columns."""
        row_id = self._store.insert("statuses", **columns)
        return record(Status, self._store.rows("SELECT * FROM statuses WHERE id = ?", [row_id])[0])

    def statuses(self, repository_id: int, sha: str) -> list[Status]:
        """The newest status of each context on a commit."""
        rows = self._store.rows(
            "SELECT * FROM statuses WHERE id IN"
            " (SELECT max(id) FROM statuses WHERE repository_id = ? AND sha = ? GROUP BY context) ORDER BY id",
            [repository_id, sha],
        )
        return records(Status, rows)

    def rollup(self, repository_id: int, sha: str) -> str | None:
        """GraphQL's `StatusState` of a commit: `SUCCESS`, `FAILURE`, `ERROR`, `PENDING`; None without any check."""
        runs, statuses = self.runs(repository_id, sha), self.statuses(repository_id, sha)
        if not runs and not statuses:
            return None
        states = {status.state for status in statuses}
        if "error" in states:
            return "ERROR"
        if "failure" in states or any(run.conclusion in FAILURES for run in runs):
            return "FAILURE"
        pending = "pending" in states or any(run.status != "completed" for run in runs)
        return "PENDING" if pending else "SUCCESS"

    def _settle_suite(self, suite_id: int, now: str) -> None:
        runs = self.runs_of_suite(suite_id)
        status, conclusion = "completed", "success"
        if any(run.status != "completed" for run in runs):
            status, conclusion = "in_progress", None
        elif any(run.conclusion in FAILURES for run in runs):
            conclusion = "failure"
        elif all(run.conclusion in {"neutral", "skipped"} for run in runs):
            conclusion = "neutral"
        self._store.update("check_suites", suite_id, status=status, conclusion=conclusion, updated_at=now)
