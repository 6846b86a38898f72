"""`octobatch github-app check` on a whole stack."""

from __future__ import annotations

import json

import httpx

from tests.acceptance.conftest import RunningStack


def test_a_stack_is_checked_through_the_gateway_whose_worker_alone_has_the_key(stack: RunningStack) -> None:
    done = stack.octobatch("github-app", "check", "-o", "json")
    assert done.returncode == 0, done.stdout + done.stderr
    lines = {line["name"]: line for line in json.loads(done.stdout)}
    assert lines["webhook"]["detail"] == f"{stack.stack.url}/webhooks/github"
    assert "installation acme" in lines
    httpx.patch(f"{stack.stack.github_url}/_sandbox/settings", json={"clock_skew_seconds": 600}).raise_for_status()
    try:
        done = stack.octobatch("github-app", "check")
    finally:
        httpx.patch(f"{stack.stack.github_url}/_sandbox/settings", json={"clock_skew_seconds": 0}).raise_for_status()
    assert done.returncode == 1
    (wrong,) = [line for line in done.stdout.splitlines() if line.startswith("failed")]
    assert "clock" in wrong
    assert "NTP" in wrong
