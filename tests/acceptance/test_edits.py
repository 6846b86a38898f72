"""Campaigns of edits: no clone, one request for each pull request, and what is put on pull requests afterwards."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import httpx

from tests.acceptance.conftest import REPOSITORIES, SPEC, RunningStack

EDITS = SPEC.replace("  - run: echo ran >> {name}.md\n", "")
DECORATED = EDITS.replace(
    "  published: true\n",
    "  published: true\n  labels: [dependencies]\n  reviewers: {{users: [nobody-at-all]}}\n",
)


def github(stack: RunningStack, method: str, path: str) -> Any:
    """Asks the sandbox itself."""
    answer = httpx.request(method, f"{stack.stack.github_url}/_sandbox/{path}", timeout=30)
    return answer.raise_for_status().json() if answer.content else None


def test_edits_cost_one_write_for_each_pull_request_and_few_reads(stack: RunningStack, tmp_path: Path) -> None:
    file = tmp_path / "spec.yaml"
    file.write_text(EDITS.format(name="few-requests"))
    github(stack, "DELETE", "counters")
    applied = stack.octobatch("apply", "--file", str(file))
    assert applied.returncode == 0, applied.stdout + applied.stderr
    counters: dict[str, int] = github(stack, "GET", "counters")
    assert len(stack.pull_requests("octobatch/few-requests")) == REPOSITORIES
    assert counters["graphql mutation"] == REPOSITORIES
    assert counters["graphql query"] < REPOSITORIES / 2, counters
    assert not any(kind.startswith("git ") for kind in counters)


def test_labels_are_put_on_although_github_does_not_know_a_reviewer(stack: RunningStack, tmp_path: Path) -> None:
    file = tmp_path / "spec.yaml"
    file.write_text(DECORATED.format(name="decorated"))
    applied = stack.octobatch("apply", "--file", str(file))
    assert applied.returncode == 0, applied.stderr
    deadline = time.monotonic() + 60
    while True:
        pulls = stack.pull_requests("octobatch/decorated")
        if [pull["labels"] for pull in pulls] == [["dependencies"]] * REPOSITORIES:
            break
        assert time.monotonic() < deadline, pulls[:1]
        time.sleep(0.2)
