"""`octobatch health` against everything that runs."""

from __future__ import annotations

import json

import httpx

from tests.acceptance.conftest import RunningStack


def test_all_of_a_stack_is_well_by_command_line_and_each_worker_by_its_probes(stack: RunningStack) -> None:
    shown = stack.octobatch("health", "--output", "json")
    assert shown.returncode == 0, shown.stdout
    checks = {each["name"]: each for each in json.loads(shown.stdout)["checks"]}
    assert checks["workers"]["detail"] == "1 campaigns, 1 selection, 1 tokens"
    assert "healthy" in stack.octobatch("health").stdout
    for port in stack.stack.health_ports.values():
        for path in ("/livez", "/readyz", "/healthz"):
            answer = httpx.get(f"http://127.0.0.1:{port}{path}", timeout=10)
            assert answer.status_code == 200, answer.text
