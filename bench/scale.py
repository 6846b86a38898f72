"""A campaign of 100, 1,000 and 10,000 repositories: time and requests for each pull request, memory of the workers.

`python -m bench scale` starts the whole stack once, makes organisations of these sizes, and applies the same small
campaign of edits to each, without limits, from the request to the gateway until every pull request is open. It writes
`bench/results/scale.md`. `--quick` leaves out the largest.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from bench.running import machine, running_stack, written_by
from sandbox.folder import StackFolder
from sandbox.stack import WORKERS, Stack
from tests.github_sandbox import RunningSandbox

RESULTS = Path(__file__).parent / "results" / "scale.md"
SIZES = (100, 1_000, 10_000)
AT_ONCE = 500
LONGEST_SECONDS = 3600.0
SETTINGS = {"OCTOBATCH_GITHUB_LIMITS": "off"}
SPEC = """version: 1
name: scale-{size}
on: [{{org: scale-{size}}}]
steps:
  - edit: {{replace: {{path: go.mod, pattern: "^go 1\\\\.2[0-2]$", with: "go 1.23"}}}}
changesetTemplate:
  title: Move to Go 1.23
  body: As agreed.
  branch: octobatch/go
  commit: {{message: Move to Go 1.23}}
  published: true
"""


@dataclass(frozen=True, kw_only=True)
class Applied:
    """What one campaign took."""

    targets: int
    seconds: float
    requests: dict[str, int]
    megabytes: dict[str, float]

    @property
    def milliseconds_each(self) -> float:
        """Time for each target."""
        return self.seconds / self.targets * 1000


class Measurement:
    """The stack, and the campaigns on it."""

    def __init__(self, stack: Stack, folder: StackFolder) -> None:
        headers = {"authorization": f"Bearer {folder.api_key()}"}
        self._gateway = httpx.Client(base_url=stack.url, headers=headers, timeout=60)
        control = httpx.Client(base_url=f"{stack.github_url}/_sandbox/", timeout=600)
        self._github = RunningSandbox(url=stack.github_url, folder=folder.path / "github", control=control)
        processes = {name: stack.part(f"{name} worker").process for name in WORKERS}
        self._workers = {name: process.pid for name, process in processes.items() if process}

    def prepare(self, size: int) -> None:
        """Makes an organisation, and has Octobatch know of it."""
        owner = f"scale-{size}"
        self._github.ask("POST", "accounts", {"login": owner, "install": False})
        for start in range(0, size, AT_ONCE):
            made = [
                {"name": f"service-{number:05}", "files": {"go.mod": f"module service-{number}\n\ngo 1.21\n"}}
                for number in range(start, min(start + AT_ONCE, size))
            ]
            self._github.ask("POST", "repositories", {"owner": owner, "repositories": made})
        self._github.add_organization(owner)
        self._gateway.post("/v1/installations/sync").raise_for_status()

    def apply(self, size: int) -> Applied:
        """One campaign from its start to its end."""
        name = f"scale-{size}"
        self._gateway.put(f"/v1/campaigns/{name}", json={"document": SPEC.format(size=size)}).raise_for_status()
        self._github.ask("DELETE", "counters")
        for pid in self._workers.values():
            Path(f"/proc/{pid}/clear_refs").write_text("5")  # forgets the peak
        begun = time.perf_counter()
        run = self._gateway.post(f"/v1/campaigns/{name}/runs", json={}).raise_for_status().json()["run"]["id"]
        details = self._finished(run)
        seconds = time.perf_counter() - begun
        if details["counts"] != {"open": size}:
            sys.exit(f"of {size} targets: {details['counts']}, {details['state']} {details['error']}")
        return Applied(
            targets=size,
            seconds=seconds,
            requests=self._github.ask("GET", "counters"),
            megabytes={name: _peak(pid) for name, pid in self._workers.items()},
        )

    def _finished(self, run: str) -> dict[str, Any]:
        deadline = time.monotonic() + LONGEST_SECONDS
        while time.monotonic() < deadline:
            details: dict[str, Any] = self._gateway.get(f"/v1/runs/{run}").json()
            if details["state"] in {"completed", "failed", "cancelled"}:
                return details
            time.sleep(0.2)
        sys.exit(f"run {run} did not end within {LONGEST_SECONDS} s: {details['counts']}")


def _peak(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


def main(arguments: Sequence[str] | None = None) -> None:
    """Measures, prints, and writes the page (not for `--quick`)."""
    parser = argparse.ArgumentParser(prog="python -m bench scale", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="without the largest size, and no page")
    asked = parser.parse_args(arguments)
    found: list[Applied] = []
    with running_stack(SETTINGS) as (stack, folder):
        measurement = Measurement(stack, folder)
        for size in SIZES[:2] if asked.quick else SIZES:
            measurement.prepare(size)
            found.append(measurement.apply(size))
            print(found[-1], flush=True)
    text = _page(found)
    print(text)
    if not asked.quick:
        RESULTS.parent.mkdir(exist_ok=True)
        RESULTS.write_text(text)


def _page(found: Sequence[Applied]) -> str:
    said = (
        f"{written_by('scale')}: {machine()} at the end. One edit in each"
        " repository, from the request to the gateway until every pull request is open; the GitHub sandbox, which makes"
        " real commits, runs on the same machine. Writes are mutations; tokens are counted apart."
    )
    columns = (
        "pull requests | seconds | ms each | beside the smallest | reads each | writes each | tokens each | git each"
    )
    lines = ["# Campaigns by size", "", said, "", f"| {columns} | peak MB of campaigns, selection, tokens |"]
    lines.append("| --- | --- | --- | --- | --- | --- | --- | --- | --- |")
    for each in found:
        requests = each.requests
        ratio = each.milliseconds_each / found[0].milliseconds_each
        counts = [requests.get("graphql query", 0), requests.get("graphql mutation", 0)]
        tokens = sum(count for kind, count in requests.items() if "access_tokens" in kind)
        git = sum(count for kind, count in requests.items() if kind.startswith("git "))
        megabytes = ", ".join(f"{each.megabytes[name]:.0f}" for name in WORKERS)
        cells = [f"{each.targets:,}", f"{each.seconds:.1f}", f"{each.milliseconds_each:.1f}", f"{ratio:.2f}"]
        cells += [f"{count / each.targets:.3f}" for count in (*counts, tokens, git)]
        lines.append(f"| {' | '.join([*cells, megabytes])} |")
    return "\n".join([*lines, ""])


if __name__ == "__main__":
    main()
