"""Any part is killed at any moment of a run: the same pull requests as if nothing had happened."""

from __future__ import annotations

import os
import random
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import httpx
import pytest

from sandbox.embedded.postgres import EmbeddedPostgres
from sandbox.embedded.valkey import EmbeddedValkey
from tests.acceptance.conftest import RunningStack
from tests.faults.sizes import TIMEOUT_SECONDS, size

TARGETS = size(short=20, full=500)
KILLS = size(short=6, full=100)
PARTS = ("campaigns worker", "PostgreSQL", "gateway", "Valkey", "selection worker", "tokens worker")
SPEC = """version: 1
name: {name}
on: [{{org: {owner}}}]
steps:
  - edit: {{write: {{path: NOTICE.md, content: "of ${{{{ repository.name }}}}\\n"}}}}
  - run: echo ran >> NOTICE.md
changesetTemplate:
  title: Add a notice
  branch: octobatch/{name}
  commit: {{message: Add a notice}}
"""


@dataclass
class Killer:
    """Kills parts of a stack, whose supervision starts them again."""

    stack: RunningStack
    chance: random.Random = field(default_factory=lambda: random.Random(8))
    kills: Counter[str] = field(default_factory=Counter[str])

    def kill_one(self) -> None:
        """One part, each in its turn, after a moment."""
        time.sleep(self.chance.uniform(0.05, 0.5))
        name = PARTS[self.kills.total() % len(PARTS)]
        part = self.stack.stack.part(name)
        process = part.process
        assert process is not None
        if isinstance(part, EmbeddedPostgres | EmbeddedValkey):
            part.kill()
        else:
            os.kill(process.pid, signal.SIGKILL)
        self.kills[name] += 1
        _until(lambda: part.process is not process and part.process and part.process.poll() is None)


def _until(condition: Callable[[], Any], *, seconds: float = 90) -> Any:
    deadline = time.monotonic() + seconds
    while not (holds := condition()):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return holds


@pytest.fixture
def owner(stack: RunningStack) -> Iterator[str]:
    """An organisation with `TARGETS` repositories, uninstalled at the end."""
    login = f"killed-{uuid4().hex[:8]}"
    control = f"{stack.stack.github_url}/_sandbox"
    made = httpx.post(f"{control}/accounts", json={"login": login}, timeout=60).raise_for_status().json()
    body = {"owner": login, "count": TARGETS, "like": {"name": "like"}}
    httpx.post(f"{control}/repositories", json=body, timeout=300).raise_for_status()
    stack.api("POST", "/v1/installations/sync")
    yield login
    httpx.delete(f"{control}/installations/{made['installation_id']}", timeout=60).raise_for_status()
    stack.api("POST", "/v1/installations/sync")


@pytest.mark.timeout(TIMEOUT_SECONDS)
def test_a_run_whose_parts_are_killed_opens_the_same_pull_requests(
    stack: RunningStack, owner: str, record_property: Callable[[str, object], None]
) -> None:
    killer = Killer(stack)
    runs = 0
    while killer.kills.total() < KILLS:
        runs += 1
        name = f"{owner}-{runs}"
        document = SPEC.format(name=name, owner=owner)
        _asked(stack, "PUT", f"/v1/campaigns/{name}", json={"document": document})
        run_id = _asked(stack, "POST", f"/v1/campaigns/{name}/runs", json={"dry_run": False})["run"]["id"]
        while killer.kills.total() < KILLS and not _is_over(stack, run_id):
            killer.kill_one()
        _until(lambda: _is_over(stack, run_id), seconds=TIMEOUT_SECONDS / 2)  # noqa: B023 - asked before the next run
        assert _asked(stack, "GET", f"/v1/runs/{run_id}")["counts"] == {"open": TARGETS}
        pulls = stack.pull_requests(f"octobatch/{name}")
        assert len(pulls) == TARGETS == len({pull["repository"] for pull in pulls})
    kills = ", ".join(f"{count} of {part}" for part, count in killer.kills.items())
    record_property("fault 21", f"{kills}; {runs} runs of {TARGETS} targets: 0 lost, 0 doubled")


def _is_over(stack: RunningStack, run_id: str) -> bool:
    return _asked(stack, "GET", f"/v1/runs/{run_id}")["state"] in {"completed", "failed", "cancelled"}


def _asked(stack: RunningStack, method: str, path: str, **given: Any) -> Any:
    """What the API answers, once it does."""

    def answer() -> Any:
        try:
            return stack.api(method, path, **given)
        except (httpx.TransportError, httpx.HTTPStatusError):
            return None

    return _until(answer)
