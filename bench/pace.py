"""A campaign under GitHub's documented limits, played faster: how much of the budget it uses, and how right its ETA is.

`python -m bench pace` starts the whole stack, makes an organisation of 600 repositories, and applies one campaign of
edits to it while the sandbox keeps GitHub's limits in windows a quarter as long, as the settings tell Octobatch. It
writes `bench/results/pace.md`. `--quick` takes windows a thirtieth as long, and writes no page.

The limits let 500 pull requests be opened an hour and 80 a minute, so 600 take an hour and a minute at least. It is not
1,000, just what two hours allow: one request that fails and is made again would wait for a third. What is not a
limit's, as preparing and waking up, takes as long as ever and weighs four times as much, so that what is found is a
little worse than what is to be expected of GitHub itself.

The part of the budget that was used is that time by the time it took. The ETA is asked for every second; its error is
how far it was from the end that came, as a part of the run's length.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx

from bench.running import machine, running_stack, written_by
from sandbox.folder import StackFolder
from sandbox.stack import Stack
from tests.github_sandbox import RunningSandbox

RESULTS = Path(__file__).parent / "results" / "pace.md"
HOUR, MINUTE = 3600.0, 60.0
AN_HOUR, A_MINUTE = 500, 80
TENTH_MINUTE = 10 * MINUTE
AT_ONCE = 500
SPEC = """version: 1
name: pace
on: [{org: pace}]
steps:
  - edit: {replace: {path: go.mod, pattern: "^go 1\\\\.2[0-2]$", with: "go 1.23"}}
changesetTemplate:
  title: Move to Go 1.23
  body: As agreed.
  branch: octobatch/go
  commit: {message: Move to Go 1.23}
  published: true
"""


@dataclass(frozen=True, kw_only=True)
class Paced:
    """What one campaign took; times in seconds as they would be without the speed."""

    targets: int
    speed: float
    seconds: float
    refusals: int
    requests: int
    errors: tuple[tuple[float, float], ...]  # when the ETA was asked for, and how far off it was

    @property
    def used(self) -> float:
        """The part of the budget for content that was used."""
        return at_least(self.targets) / self.seconds

    @property
    def late_errors(self) -> list[float]:
        """The errors of the ETA from the tenth minute on, as parts of the run's length, the largest last."""
        return sorted(error / self.seconds for at, error in self.errors if at >= TENTH_MINUTE)


def at_least(targets: int) -> float:
    """Seconds that the limits make so many pull requests take."""
    hours, rest = divmod(targets - 1, AN_HOUR)
    return hours * HOUR + rest // A_MINUTE * MINUTE


def measure(stack: Stack, folder: StackFolder, *, targets: int, speed: float) -> Paced:
    """One campaign from its start to its end."""
    control = httpx.Client(base_url=f"{stack.github_url}/_sandbox/", timeout=600)
    github = RunningSandbox(url=stack.github_url, folder=folder.path / "github", control=control)
    github.ask("POST", "accounts", {"login": "pace", "install": False})
    for start in range(0, targets, AT_ONCE):
        made = [
            {"name": f"service-{number:05}", "files": {"go.mod": f"module service-{number}\n\ngo 1.21\n"}}
            for number in range(start, min(start + AT_ONCE, targets))
        ]
        github.ask("POST", "repositories", {"owner": "pace", "repositories": made})
    github.add_organization("pace")
    headers = {"authorization": f"Bearer {folder.api_key()}"}
    gateway = httpx.Client(base_url=stack.url, headers=headers, timeout=60)
    gateway.post("/v1/installations/sync").raise_for_status()
    gateway.put("/v1/campaigns/pace", json={"document": SPEC}).raise_for_status()
    github.ask("DELETE", "counters")
    github.ask("PUT", "limits", {"scale": speed})
    begun = datetime.now(UTC)
    run = gateway.post("/v1/campaigns/pace/runs", json={}).raise_for_status().json()["run"]["id"]
    said = _said_until_the_end(gateway, run, targets=targets, longest=2 * at_least(targets) / speed)
    ended = datetime.now(UTC)
    counters: dict[str, int] = github.ask("GET", "counters")
    return Paced(
        targets=targets,
        speed=speed,
        seconds=(ended - begun).total_seconds() * speed,
        refusals=counters.get("limited", 0),
        requests=sum(count for kind, count in counters.items() if kind == "graphql" or kind.startswith("rest ")),
        errors=tuple(
            ((at - begun).total_seconds() * speed, abs((expected - ended).total_seconds()) * speed)
            for at, expected in said
        ),
    )


def _said_until_the_end(
    gateway: httpx.Client, run: str, *, targets: int, longest: float
) -> list[tuple[datetime, datetime]]:
    """What the run said of its end, and when it said so."""
    said: list[tuple[datetime, datetime]] = []
    deadline = time.monotonic() + longest
    while time.monotonic() < deadline:
        details: dict[str, Any] = gateway.get(f"/v1/runs/{run}").raise_for_status().json()
        if details["state"] in {"completed", "failed", "cancelled"}:
            if details["counts"] != {"open": targets}:
                sys.exit(f"of {targets} targets: {details['counts']}, {details['state']} {details['error']}")
            return said
        if details["expected_at"]:
            said.append((datetime.now(UTC), datetime.fromisoformat(details["expected_at"])))
        time.sleep(1)
    sys.exit(f"run {run} did not end within {longest:.0f} s")


def main(arguments: Sequence[str] | None = None) -> None:
    """Measures, prints, and writes the page (not for `--quick`)."""
    parser = argparse.ArgumentParser(prog="python -m bench pace", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="thirty times as fast, and no page")
    parser.add_argument("--targets", type=int, help="other than 600 repositories, and no page")
    parser.add_argument("--speed", type=float, help="other than four times as fast, and no page")
    asked = parser.parse_args(arguments)
    targets, speed = (asked.targets or 600, 30.0 if asked.quick else asked.speed or 4.0)
    settings = {"OCTOBATCH_GITHUB_LIMITS": "on", "OCTOBATCH_GITHUB_LIMITS_SPEED": f"{speed:g}"}
    with running_stack(settings) as (stack, folder):
        text = _page(measure(stack, folder, targets=targets, speed=speed))
    print(text)
    if not (asked.quick or asked.targets or asked.speed):
        RESULTS.parent.mkdir(exist_ok=True)
        RESULTS.write_text(text)


def _page(found: Paced) -> str:
    errors = found.late_errors
    rows = [
        ("pull requests", f"{found.targets:,}"),
        ("minutes that the limits make them take at least", f"{at_least(found.targets) / MINUTE:.1f}"),
        ("minutes that they took", f"{found.seconds / MINUTE:.1f}"),
        ("part of the budget for content that was used", f"{found.used:.1%}"),
        ("requests that GitHub refused for a limit", str(found.refusals)),
        ("requests for each pull request", f"{found.requests / found.targets:.3f}"),
        ("error of the ETA from the tenth minute on, largest", f"{errors[-1]:.1%} of the run's length"),
        ("and in the median", f"{errors[len(errors) // 2]:.1%}"),
    ]
    said = (
        f"{written_by('pace')}: {machine()} at the end. The sandbox plays the limits {found.speed:g} times as"
        " fast; times are given as they would be without that."
    )
    lines = [f"| {name} | {value} |" for name, value in rows]
    return "\n".join(["# The pace under GitHub's limits", "", said, "", "| | |", "| --- | --- |", *lines, ""])


if __name__ == "__main__":
    main()
