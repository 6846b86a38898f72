"""A rollout as a user sees it: it waits, is paused, and goes on as pull requests are merged."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from tests.acceptance.conftest import RunningStack


def _soon(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_rollout_waits_for_merges_and_says_so(stack: RunningStack, spec: Path) -> None:
    spec.write_text(spec.read_text() + "rollout: {waves: [{percent: 25, gate: {merged: 1}}, {percent: 100}]}\n")
    name = spec.stem
    stack.octobatch("apply", "-f", str(spec), "--no-watch")
    run = stack.api("GET", "/v1/runs", params={"campaign": name})["items"][0]["id"]
    waits = ["wave 2 waits for 100 % merged of wave 1 (now 0 %)"]
    _soon(lambda: [each["text"] for each in stack.api("GET", f"/v1/runs/{run}")["waits_for"]] == waits)
    assert len(stack.pull_requests(name)) == 3

    assert stack.octobatch("pause", name).returncode == 0
    assert "paused by key:" in stack.octobatch("runs", "show", name).stdout
    assert stack.octobatch("merge", name, "--yes").returncode == 0
    stack.api("POST", f"/v1/runs/{run}/resume")
    watched = stack.octobatch("watch", name)
    assert (watched.returncode, watched.stdout) == (0, "run completed: 3 merged, 9 open\n")
    assert len(stack.pull_requests(name)) == 12
