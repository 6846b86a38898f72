"""The same change on the same 40 repositories: a loop of clone, change, push and open; and Octobatch.

Both start and end at the same sandbox, one after the other, three times in turn. The loop is what a shell script does:
one repository at a time, with git and one REST request.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

import httpx

from sandbox.embedded.servers import free_port
from sandbox.folder import StackFolder
from sandbox.stack import Stack

REPOSITORIES = 40
ROUNDS = 3
SPEC = """version: 1
name: bench-{round}
description: Strip trailing white space
on: [{{org: acme}}]
limit: {limit}
steps:
  - edit: {{write: {{path: BENCH-{round}.md, content: "round {round}\\n"}}}}
  - run: "find . -name '*.py' -exec sed -i -E 's/[[:blank:]]+$//' {{}} +"
changesetTemplate:
  title: Bench {round}
  body: A measurement
  branch: octobatch/bench-{round}
  commit: {{message: Bench {round}}}
  published: true
"""
SCRIPT = """set -e
git clone -q --depth 1 "$URL" repository
cd repository
git checkout -q -b "$BRANCH"
echo "round $BRANCH" > "BENCH.md"
find . -name '*.py' -exec sed -i -E 's/[[:blank:]]+$//' {} +
git add -A
git -c user.name=bench -c user.email=bench@acme.example commit -q -m Bench
git push -q origin "$BRANCH"
"""


def main() -> None:
    """Prints the seconds of each round, and the ratio of the medians."""
    with tempfile.TemporaryDirectory() as folder:
        stack_folder = StackFolder(Path(folder) / "stack")
        stack_folder.prepare()
        stack = Stack(
            stack_folder,
            gateway_port=free_port(),
            github_port=free_port(),
            say=lambda _: None,
            import_packages=True,
        )
        with stack_folder.held():
            try:
                stack.start()
                _measure(stack, stack_folder.api_key(), Path(folder))
            finally:
                stack.stop()


def _measure(stack: Stack, api_key: str, folder: Path) -> None:
    headers = {"Authorization": f"Bearer {api_key}"}
    with httpx.Client(base_url=stack.url, headers=headers, timeout=60) as gateway:
        names: list[str] = []
        loop, octobatch = [], []
        for number in range(ROUNDS):
            octobatch.append(_octobatch(gateway, number, names))
            loop.append(_loop(stack, gateway, number, names, folder))
            print(f"round {number + 1}: loop {loop[-1]:.1f} s, Octobatch {octobatch[-1]:.1f} s")
        ratio = median(loop) / median(octobatch)
        print(f"{REPOSITORIES} pull requests: Octobatch takes 1/{ratio:.1f} of the loop's time (medians of {ROUNDS})")


def _octobatch(gateway: httpx.Client, number: int, names: list[str]) -> float:
    document = SPEC.format(round=number, limit=REPOSITORIES)
    started = time.perf_counter()
    gateway.put(f"/campaigns/bench-{number}", json={"document": document}).raise_for_status()
    run = gateway.post(f"/campaigns/bench-{number}/runs", json={}).raise_for_status().json()["run"]["id"]
    with gateway.stream("GET", f"/runs/{run}/events", timeout=300) as events:
        for line in events.iter_lines():
            if line == "event: end":
                break
    seconds = time.perf_counter() - started
    targets: Any = gateway.get(f"/runs/{run}/targets", params={"limit": 500}).json()["items"]
    names[:] = [target["repository"] for target in targets if target["state"] == "open"]
    if len(names) != REPOSITORIES:
        sys.exit(f"only {len(names)} of {REPOSITORIES} pull requests are open")
    return seconds


def _loop(stack: Stack, gateway: httpx.Client, number: int, names: list[str], folder: Path) -> float:
    [installation] = gateway.get("/installations").json()["items"]
    token = gateway.get(f"/tokens/installations/{installation['id']}").json()["token"]
    branch = f"loop-{number}"
    api = {"Authorization": f"Bearer {token}"}
    started = time.perf_counter()
    for name in names:
        address = stack.github_url.replace("http://", f"http://x-access-token:{token}@")
        environment = {**os.environ, "URL": f"{address}/{name}.git", "BRANCH": branch}
        with tempfile.TemporaryDirectory(dir=folder) as work:
            subprocess.run(["sh", "-c", SCRIPT], cwd=work, env=environment, check=True)
        body = {"title": branch, "head": branch, "base": "main"}
        httpx.post(
            f"{stack.github_url}/api/v3/repos/{name}/pulls", headers=api, json=body, timeout=60
        ).raise_for_status()
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
