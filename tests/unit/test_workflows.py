"""Workflows of GitHub Actions: what they run is pinned, and they may only read."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

WORKFLOWS = sorted((Path(__file__).parents[2] / ".github" / "workflows").glob("*.yml"))


@pytest.fixture(params=WORKFLOWS, ids=lambda path: path.name)
def workflow(request: pytest.FixtureRequest) -> dict[str, Any]:
    read: dict[str, Any] = YAML(typ="safe", pure=True).load(request.param)
    return read


def test_actions_are_pinned_to_a_commit(workflow: dict[str, Any]) -> None:
    used = [step["uses"] for job in workflow["jobs"].values() for step in job["steps"] if "uses" in step]
    assert used
    for action in used:
        assert re.fullmatch(r"[\w.-]+/[\w./-]+@[0-9a-f]{40}", action)


def test_a_workflow_may_only_read(workflow: dict[str, Any]) -> None:
    assert set(workflow["permissions"].values()) == {"read"}
    assert all("permissions" not in job for job in workflow["jobs"].values())
