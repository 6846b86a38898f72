"""Bulk operations as a user does them: looked at, asked for, done, and a campaign undone."""

from __future__ import annotations

import csv
import io
from pathlib import Path

from tests.acceptance.conftest import REPOSITORIES, RunningStack


def test_pull_requests_are_merged_and_the_campaign_is_undone(stack: RunningStack, spec: Path) -> None:
    name = spec.stem
    applied = stack.octobatch("apply", "-f", str(spec))
    assert applied.returncode == 0, applied.stderr
    asked = stack.octobatch("merge", name, "-R", "*/service-1*")
    assert asked.returncode == 2  # of service-1, service-10 and service-11
    assert "merge: 3 targets? Nobody is there to ask" in asked.stderr
    merged = stack.octobatch("merge", name, "-R", "*/service-1*", "--method", "squash", "--yes")
    assert merged.returncode == 0, merged.stderr
    assert merged.stdout == "merge completed: 3 done\n"
    closed = stack.octobatch("campaigns", "close", name, "--yes")
    assert closed.returncode == 0, closed.stderr
    assert f"closes {REPOSITORIES - 3} pull requests" in closed.stderr
    states = sorted(pull["state"] for pull in stack.pull_requests(f"octobatch/{name}"))
    assert states == ["closed"] * (REPOSITORIES - 3) + ["merged"] * 3
    exported = csv.DictReader(io.StringIO(stack.octobatch("export", name).stdout))
    assert sorted(each["state"] for each in exported) == states
