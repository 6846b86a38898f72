"""Listing an organisation: Octobatch beside @octokit/plugin-paginate-graphql, gh and all-repos, on one GitHub sandbox.

`python -m bench selection` starts the whole stack once, makes organisations of 1,000, 10,000 and 100,000 repositories,
waits until their indexes are complete, lists each with everything, in an order that turns round from round to round,
and writes the medians to `bench/results/selection.md`. `--quick` takes one round of the smaller two.

Octobatch is measured from the request to the gateway until the selection is complete in Postgres, each repository with
its reason; the others until they hold their list in memory, and `gh`, where it is installed, from its start to its end,
with its pages in a file. All ask for 100 repositories a page.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

import httpx

from bench.listing.page import page
from bench.running import machine, running_stack, written_by
from sandbox.folder import StackFolder
from sandbox.stack import Stack
from tests.conformance.published import node_clients
from tests.github_sandbox import RunningSandbox

RESULTS = Path(__file__).parent / "results" / "selection.md"
SIZES = (1_000, 10_000, 100_000)
AT_ONCE = 5_000
LONGEST_SECONDS = 600.0
SETTINGS = {"OCTOBATCH_GITHUB_GRAPHQL_POINTS_PER_MINUTE": "1000000000"}
"""Octobatch alone would keep GitHub's 2,000 requests a minute, and wait; the sandbox's limits are lifted too."""

SPEC = """version: 1
name: bench
on: [{entry}]
steps: [{{edit: {{delete: {{path: x}}}}}}]
changesetTemplate: {{title: T, body: B, branch: x, commit: {{message: M}}}}
"""


@dataclass(frozen=True, kw_only=True)
class Listed:
    """What one listing took."""

    found: int
    requests: int
    points: int
    seconds: float
    megabytes: float


class Measurement:
    """The stack, the organisations, and what was measured of them."""

    def __init__(self, stack: Stack, folder: StackFolder, sizes: Sequence[int]) -> None:
        headers = {"authorization": f"Bearer {folder.api_key()}"}
        self._gateway = httpx.Client(base_url=stack.url, headers=headers, timeout=60)
        control = httpx.Client(base_url=f"{stack.github_url}/_sandbox/", timeout=600)
        self._github = RunningSandbox(url=stack.github_url, folder=folder.path / "github", control=control)
        worker = stack.part("selection worker").process
        assert worker
        self._worker = worker.pid
        self.sizes = sizes
        self.figures: defaultdict[tuple[str, int], list[Listed]] = defaultdict(list)

    def prepare(self) -> None:
        """Makes the organisations, and waits until the indexes have them."""
        self._github.ask("PUT", "limits", {"primary": 10**9, "graphql_points": 10**9, "rest_points": 10**9})
        for size in self.sizes:
            for start in range(0, size, AT_ONCE):
                numbers = range(start, min(start + AT_ONCE, size))
                made = [_repository(number) for number in numbers]
                self._github.ask("POST", "accounts", {"login": _org(size), "install": False})
                self._github.ask("POST", "repositories", {"owner": _org(size), "repositories": made})
            self._github.add_organization(_org(size))
        self._gateway.post("/v1/installations/sync").raise_for_status()
        for size in self.sizes:
            _until(lambda size=size: self._select(size, f"org: {_org(size)}", fresh=False)["index_as_of"])

    def round(self, number: int) -> None:
        """Every listing once."""
        systems: list[tuple[str, Callable[[int], Listed]]] = [
            ("Octobatch, from the index", lambda size: self._ours(size, f"org: {_org(size)}", fresh=False)),
            ("Octobatch, asking GitHub", lambda size: self._ours(size, f"org: {_org(size)}", fresh=True)),
            ("@octokit/plugin-paginate-graphql 6", self._octokit),
            ("all-repos 1.33", self._all_repos),
        ]
        if shutil.which("gh"):
            systems.append(("gh api graphql --paginate", self._gh))
        for size in self.sizes:
            for name, listing in systems if number % 2 == 0 else reversed(systems):
                self._measure(name, size, size, listing)
        largest = self.sizes[-1]
        query = f"repositoriesMatchingQuery: 'org:{_org(largest)} language:go'"
        self._measure("search", largest, largest // 4, lambda size: self._ours(size, query, fresh=True))

    def check_search(self) -> None:
        """Ends the measurement unless a search found just the repositories that were made for it."""
        size = self.sizes[-1]
        selection = self._select(size, f"repositoriesMatchingQuery: 'org:{_org(size)} language:go'", fresh=True)
        exported = self._gateway.get(f"/v1/selections/{selection['id']}/export", params={"format": "jsonl"})
        found = [json.loads(line)["repository"] for line in exported.text.splitlines()]
        made = [f"{_org(size)}/{each['name']}" for each in map(_repository, range(size)) if each["language"] == "Go"]
        if sorted(found) != made:
            sys.exit(
                f"the search found {len(found)} repositories, {len(set(found) & set(made))} of the {len(made)} made"
            )
        print(f"the search found exactly the {len(made):,} that were made", flush=True)

    def _measure(self, name: str, size: int, expected: int, listing: Callable[[int], Listed]) -> None:
        listed = listing(size)
        if listed.found != expected:
            sys.exit(f"{name} found {listed.found} of {expected} repositories")
        self.figures[name, size].append(listed)
        print(f"{name}, {size:,}: {listed}", flush=True)

    def _ours(self, size: int, entry: str, *, fresh: bool) -> Listed:
        Path(f"/proc/{self._worker}/clear_refs").write_text("5")  # forgets the peak
        begun = time.perf_counter()
        selection = self._select(size, entry, fresh=fresh)
        seconds = time.perf_counter() - begun
        status = Path(f"/proc/{self._worker}/status").read_text()
        peak = int(status.partition("VmHWM:")[2].split()[0]) / 1024
        return Listed(
            found=selection["included"],
            requests=selection["requests"],
            points=selection["points"],
            seconds=seconds,
            megabytes=peak,
        )

    def _select(self, size: int, entry: str, *, fresh: bool) -> dict[str, Any]:
        body = {"document": SPEC.format(entry=f"{{{entry}}}"), "fresh": fresh}
        started = self._gateway.post("/v1/selections", json=body)
        started.raise_for_status()
        address = f"/v1/selections/{started.json()['selection']['id']}"
        _until(lambda: self._gateway.get(address).json()["state"] not in {"pending", "selecting"})
        selection: dict[str, Any] = self._gateway.get(address).json()
        if selection["state"] != "complete":
            sys.exit(f"the selection of {size} is {selection['state']}: {selection['error']}")
        return selection

    def _octokit(self, size: int) -> Listed:
        folder = node_clients()
        if not (folder / "node_modules" / "@octokit" / "plugin-paginate-graphql").exists():
            packages = ["@octokit/core@7", "@octokit/plugin-paginate-graphql@6"]
            subprocess.run(["npm", "install", "--no-audit", "--no-fund", *packages], cwd=folder, check=True)
        script = folder / "paginate.mjs"
        script.write_text((Path(__file__).parent / "listing" / "with_octokit.mjs").read_text())
        return self._other(["node", str(script)], f"{self._github.url}/api", size)

    def _all_repos(self, size: int) -> Listed:
        return self._other([sys.executable, "-m", "bench.listing.with_all_repos"], self._github.api_base, size)

    def _gh(self, size: int) -> Listed:
        return self._other([sys.executable, "-m", "bench.listing.with_gh"], self._github.api_base, size)

    def _other(self, command: list[str], base_url: str, size: int) -> Listed:
        token = self._github.token(self._github.installation_id(_org(size)))
        self._github.ask("DELETE", "counters")
        done = subprocess.run([*command, base_url, _org(size), token], capture_output=True, text=True, check=False)
        if done.returncode:
            sys.exit(done.stderr[-3000:])
        counters = self._github.ask("GET", "counters")
        requests = sum(count for kind, count in counters.items() if kind == "graphql" or kind.startswith("rest GET"))
        return Listed(requests=requests, **json.loads(done.stdout))


def _org(size: int) -> str:
    return f"bench-{size}"


def _repository(number: int) -> dict[str, Any]:
    created = datetime.fromtimestamp(1.4e9 + number * 3000, UTC)
    return {
        "name": f"service-{number:06}", "language": "Go" if number % 4 == 0 else "Rust", "topics": ["backend", "a"],
        "created_at": f"{created:%Y-%m-%dT%H:%M:%SZ}",
    }  # fmt: skip


def _until(condition: Callable[[], Any]) -> None:
    deadline = time.monotonic() + LONGEST_SECONDS
    while not condition():
        if time.monotonic() > deadline:
            sys.exit(f"nothing came of it within {LONGEST_SECONDS} s")
        time.sleep(0.05)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measures, prints, and writes the page (not for `--quick`)."""
    parser = argparse.ArgumentParser(prog="python -m bench selection", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one round of the smaller sizes, and no page")
    parser.add_argument("--rounds", type=int, help="rounds; their medians count (3)")
    asked = parser.parse_args(arguments)
    rounds = asked.rounds or (1 if asked.quick else 3)
    with running_stack(SETTINGS) as (stack, folder):
        measurement = Measurement(stack, folder, SIZES[:2] if asked.quick else SIZES)
        measurement.prepare()
        for number in range(rounds):
            measurement.round(number)
        measurement.check_search()
    medians = {
        key: Listed(
            found=listed[0].found,
            requests=int(median(each.requests for each in listed)),
            points=int(median(each.points for each in listed)),
            seconds=median(each.seconds for each in listed),
            megabytes=max(each.megabytes for each in listed),
        )
        for key, listed in measurement.figures.items()
    }
    text = page(medians, measurement.sizes, introduction=_introduction(rounds))
    print(text)
    if not asked.quick:
        RESULTS.parent.mkdir(exist_ok=True)
        RESULTS.write_text(text)


def _introduction(rounds: int) -> str:
    return (
        f"{written_by('selection')}: medians of {rounds} rounds (of memory the largest), {machine()} at the end. One"
        " GitHub sandbox for all, on the same machine, which answers a page in some milliseconds; GitHub takes some"
        " hundred, so that there the requests decide. GitHub's secondary limit of 2,000 points a minute is lifted,"
        " which Octobatch keeps and the others do not know of."
    )


if __name__ == "__main__":
    main()
