"""What happens to tokens while a run goes on: the run ends right, and no target fails for it.

Each test has organisations of its own in one stack, waits until the run has begun, and then lets it happen.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import httpx
import pytest

from sandbox.embedded.servers import free_port
from sandbox.folder import StackFolder
from sandbox.stack import Stack
from tests.acceptance.conftest import RunningStack
from tests.faults.sizes import size

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

TARGETS = 8
SPEC = """version: 1
name: {name}
description: Add a file
on: [{on}]
steps:
  - edit: {{write: {{path: "{name}.md", content: "of {name}\\n"}}}}
  - run: sleep 0.5 && echo ran >> {name}.md
changesetTemplate:
  title: Add {name}
  body: For ${{{{ repository.name }}}}
  branch: octobatch/{name}
  commit: {{message: Add {name}, signing: {signing}}}
  published: true
"""
MINT = "rest POST /app/installations/{installation_id:int}/access_tokens"
TWO_SECONDS = 62
"""The lifetime of tokens that are given to nobody after two seconds, because the last minute is kept spare."""


class MidRun(RunningStack):
    """A stack in which things happen."""

    def github(self, method: str, path: str, body: Any = None) -> Any:
        """Asks the sandbox's control API."""
        answer = httpx.request(method, f"{self.stack.github_url}/_sandbox/{path}", json=body, timeout=60)
        answer.raise_for_status()
        return answer.json() if answer.content else None

    def organization(self, targets: int = TARGETS) -> tuple[str, int]:
        """A new organisation with repositories, and the App's installation on it."""
        login = f"org-{uuid4().hex[:8]}"
        installation_id = self.github("POST", "accounts", {"login": login})["installation_id"]
        repositories = [{"name": f"service-{number}"} for number in range(targets)]
        self.github("POST", "repositories", {"owner": login, "repositories": repositories})
        return login, int(installation_id)

    def begin(self, *owners: str, signing: str = "api") -> str:
        """Starts a run in the organisations; its id."""
        name = f"in-{owners[0]}"
        on = ", ".join(f"{{org: {owner}}}" for owner in owners)
        self.api("PUT", f"/v1/campaigns/{name}", json={"document": SPEC.format(name=name, on=on, signing=signing)})
        return str(self.api("POST", f"/v1/campaigns/{name}/runs", json={})["run"]["id"])

    def wait_until_begun(self) -> None:
        """Returns once the first repository is cloned: most tokens of the run are to be minted yet."""
        deadline = time.monotonic() + 60
        while not self.github("GET", "counters").get("git fetch"):
            assert time.monotonic() < deadline
            time.sleep(0.02)

    def wait_for_pulls(self, owner: str, count: int = 1) -> None:
        """Returns once so many pull requests are there."""
        deadline = time.monotonic() + 60
        while len(self.github("GET", f"pulls?owner={owner}")) < count:
            assert time.monotonic() < deadline
            time.sleep(0.05)

    def end(self, run: str) -> dict[str, dict[str, Any]]:
        """Waits for the end of the run; its targets by repository."""
        headers = {"Authorization": f"Bearer {self.folder.api_key()}"}
        httpx.get(f"{self.stack.url}/v1/runs/{run}/events", headers=headers, timeout=200).raise_for_status()
        found = self.api("GET", f"/v1/runs/{run}/targets", params={"limit": 500})["items"]
        return {target["repository"]: target for target in found}

    def mints(self) -> int:
        """How many tokens were minted since the counters were cleared."""
        return int(self.github("GET", "counters").get(MINT, 0))


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MidRun]:
    folder = StackFolder(tmp_path_factory.mktemp("mid-run") / "octobatch")
    folder.prepare()
    stack = Stack(folder, gateway_port=free_port(), github_port=free_port(), say=lambda _: None)
    with folder.held():
        try:
            stack.start()
            yield MidRun(stack, folder)
        finally:
            stack.stop()


@pytest.fixture
def mid_run(running: MidRun) -> Iterator[MidRun]:
    """The stack with a GitHub whose tokens are replaced every two seconds; what a test sets is undone."""
    running.github("PATCH", "settings", {"token_lifetime_seconds": TWO_SECONDS})
    running.github("DELETE", "counters")
    yield running
    running.github("PATCH", "settings", {"clock_skew_seconds": 0, "token_lifetime_seconds": 3600})
    running.github("DELETE", "faults")


def assert_all_open(found: dict[str, dict[str, Any]], *owners: str, targets: int = TARGETS) -> None:
    wanted = {f"{owner}/service-{number}": "open" for owner in owners for number in range(targets)}
    reasons = {name: target["reason"] for name, target in found.items() if target["reason"]}
    assert {name: target["state"] for name, target in found.items()} == wanted, reasons


@pytest.mark.parametrize("signing", ["api", "none"])
def test_a_run_outlives_its_tokens(mid_run: MidRun, signing: str) -> None:
    owner, _ = mid_run.organization()
    assert_all_open(mid_run.end(mid_run.begin(owner, signing=signing)), owner)
    assert mid_run.mints() > len(("prepare", "publish")), "a token for each would do, if they lived"


@pytest.mark.parametrize("signing", size(short=["none"], full=["api", "none"]))
def test_tokens_that_end_before_their_time_are_replaced(mid_run: MidRun, signing: str) -> None:
    owner, _ = mid_run.organization(targets=6)
    mid_run.github("PATCH", "settings", {"token_lifetime_seconds": 3600})
    run = mid_run.begin(owner, signing=signing)
    mid_run.wait_until_begun()
    mid_run.github("DELETE", "tokens")
    for count in (1, 4):
        mid_run.wait_for_pulls(owner, count)
        mid_run.github("DELETE", "tokens")
    assert_all_open(mid_run.end(run), owner, targets=6)


@pytest.mark.parametrize("minutes", [10, -10])
def test_a_clock_that_is_minutes_off_fails_no_target(mid_run: MidRun, minutes: int) -> None:
    owner, _ = mid_run.organization()
    run = mid_run.begin(owner)
    mid_run.wait_until_begun()
    mid_run.github("DELETE", "counters")
    mid_run.github("PATCH", "settings", {"clock_skew_seconds": minutes * 60})
    assert_all_open(mid_run.end(run), owner)
    assert mid_run.mints() >= 1


@pytest.mark.parametrize("signing", size(short=["api"], full=["api", "none"]))
def test_replicas_that_lag_for_five_seconds_fail_no_target(mid_run: MidRun, signing: str) -> None:
    owner, _ = mid_run.organization(targets=4)
    run = mid_run.begin(owner, signing=signing)
    mid_run.wait_until_begun()
    mid_run.github("PUT", "faults", [{"kind": "replication_lag", "seconds": 5}])
    assert_all_open(mid_run.end(run), owner, targets=4)


def test_a_key_that_is_replaced_fails_no_target(mid_run: MidRun) -> None:
    owner, _ = mid_run.organization()
    run = mid_run.begin(owner)
    mid_run.wait_until_begun()
    new = mid_run.folder.write_private("new.pem", mid_run.github("POST", "app/keys")["pem"])
    new.rename(mid_run.folder.path / "github" / "app.pem")  # as Kubernetes does: no moment with half a file
    mid_run.github("DELETE", "app/keys")  # all but the newest
    mid_run.github("DELETE", "counters")
    assert_all_open(mid_run.end(run), owner)
    assert mid_run.mints() >= 1


def test_only_a_suspended_installations_targets_are_blocked_and_they_say_so(mid_run: MidRun) -> None:
    active, _ = mid_run.organization()
    suspended, installation_id = mid_run.organization()
    run = mid_run.begin(suspended, active)
    mid_run.wait_until_begun()
    mid_run.github("PATCH", f"installations/{installation_id}", {"suspended": True})
    targets = mid_run.end(run)
    assert_all_open({name: each for name, each in targets.items() if name.startswith(active)}, active)
    theirs = [target for name, target in targets.items() if name.startswith(suspended)]
    assert {"blocked"} <= {target["state"] for target in theirs} <= {"blocked", "open"}
    assert all("suspended" in target["reason"] for target in theirs if target["state"] == "blocked")

    mid_run.github("PATCH", f"installations/{installation_id}", {"suspended": False})
    mid_run.github("POST", "webhooks/settle")
    assert_all_open(mid_run.end(mid_run.begin(suspended, active)), suspended, active)
    pulls = mid_run.github("GET", f"pulls?owner={suspended}")
    assert len(pulls) == TARGETS
