"""The tour: a real campaign over real repositories, driven by the same commands that a user types.

Every check at the end is against the sandbox's own list of pull requests; the exit code says whether all hold.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from rich.console import Console
from rich.rule import Rule
from rich.table import Column, Table

from .embedded.servers import free_port
from .folder import StackFolder
from .stack import Stack

SPEC = Path(__file__).with_name("demo-campaign.yaml")
OWNER = "acme"
LEAST_REPOSITORIES = 40
MERGED = 3
PATIENCE_SECONDS = 30.0
SETTLED = {"open", "draft", "unchanged", "merged"}

WIDE = 160
"""Columns of the tables where no terminal says how many there are."""

console = Console(highlight=False, soft_wrap=True, width=None if sys.stdout.isatty() else WIDE)


@dataclass
class Tour:
    """Runs commands of `octobatch` as a user would, and asks the sandbox what is true."""

    stack: Stack
    environment: dict[str, str]

    def show(self, *arguments: str) -> None:
        """Runs a command with its output on the screen."""
        console.print(f"\n[bold]$ octobatch {' '.join(arguments)}[/bold]")
        subprocess.run(self._command(arguments), env=self.environment, check=True)

    def read(self, *arguments: str) -> Any:
        """The JSON that a command prints."""
        command = self._command([*arguments, "--output", "json"])
        return json.loads(subprocess.run(command, env=self.environment, check=True, capture_output=True).stdout)

    def pull_requests(self) -> list[dict[str, Any]]:
        """All pull requests that exist in the sandbox."""
        answer = httpx.get(f"{self.stack.github_url}/_sandbox/pulls", timeout=30)
        return answer.raise_for_status().json()

    def merge(self, pull: dict[str, Any]) -> None:
        """Merges a pull request on the sandbox, as a maintainer would."""
        url = f"{self.stack.github_url}/_sandbox/repositories/{pull['repository']}/pulls/{pull['number']}/merge"
        httpx.post(url, json={}, timeout=30).raise_for_status()

    def _command(self, arguments: Sequence[str]) -> list[str]:
        return [sys.executable, "-m", "cli.main", *arguments]


def run_demo(folder: Path, *, keep: bool) -> int:
    """The exit code: 0 where every target ended published or unchanged, with one pull request each."""
    stack_folder = StackFolder(folder)
    if stack_folder.is_one():
        with stack_folder.held():
            stack_folder.stop_leftovers()
        stack_folder.wipe()
    stack_folder.prepare()
    with stack_folder.held():
        stack = Stack(
            stack_folder,
            gateway_port=free_port(),
            github_port=free_port(),
            say=console.print,
            owner=OWNER,
            import_packages=True,
        )
        try:
            console.print(Rule("1. Start everything on this machine"))
            stack.start()
            supervisor = threading.Thread(target=stack.supervise, daemon=True)
            supervisor.start()
            failures = _tour(stack, stack_folder, keep=keep)
            for failure in failures:
                console.print(f"[bold red]not as it should be:[/bold red] {failure}")
            if keep:
                console.print("\nIt keeps running; Ctrl-C stops it.")
                supervisor.join()
            return 1 if failures else 0
        finally:
            stack.stop()


def _tour(stack: Stack, folder: StackFolder, *, keep: bool) -> list[str]:
    environment = {**os.environ, "OCTOBATCH_URL": stack.url, "OCTOBATCH_API_KEY": folder.api_key()}
    tour = Tour(stack, environment)
    console.print(Rule("2. Preview: prepare every change, publish nothing"))
    tour.show("preview", "--file", str(SPEC))
    tour.show("diff", _telling_target(_targets(tour))["repository"])
    console.print(Rule("3. Apply: open the pull requests"))
    started = time.monotonic()
    tour.show("apply", "--file", str(SPEC))
    seconds = time.monotonic() - started
    opened = tour.pull_requests()
    console.print(Rule(f"4. Merge {MERGED} of them, as maintainers would"))
    merged = [pull for pull in opened if pull["state"].lower() == "open"][:MERGED]
    for pull in merged:
        tour.merge(pull)
    _wait(lambda: _count(_targets(tour), "merged") >= len(merged))
    tour.show("targets", "--state", "merged")
    targets = _targets(tour)
    _show_table(targets)
    _show_where(stack, folder, targets, seconds, keep=keep)
    return _failures(targets, opened, merged=len(merged))


def _targets(tour: Tour) -> list[dict[str, Any]]:
    return tour.read("targets")


def _telling_target(targets: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """One in which several files, but few lines, change: its diff shows both steps on one screen."""
    return min(
        (target for target in targets if target["diff_stat"]),
        key=lambda target: (target["diff_stat"]["files"] == 1, target["diff_stat"]["additions"]),
    )


def _count(targets: Sequence[dict[str, Any]], state: str) -> int:
    return sum(1 for target in targets if target["state"] == state)


def _wait(is_true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not is_true() and time.monotonic() < deadline:
        time.sleep(0.5)


def _failures(targets: Sequence[dict[str, Any]], pulls: Sequence[dict[str, Any]], *, merged: int) -> list[str]:
    found: list[str] = []
    if len(targets) < LEAST_REPOSITORIES:
        found.append(f"{len(targets)} targets are fewer than {LEAST_REPOSITORIES}")
    found += [f"{t['repository']} is {t['state']}: {t['reason']}" for t in targets if t["state"] not in SETTLED]
    if _count(targets, "merged") != merged:
        found.append(f"{_count(targets, 'merged')} targets are merged, not {merged}")
    each = Counter(pull["repository"] for pull in pulls)
    found += [f"{repository} has {count} pull requests" for repository, count in each.items() if count > 1]
    published = {target["repository"] for target in targets if target["pull_request"]}
    if published != set(each):
        found.append(f"the targets with a pull request are not those of the sandbox: {published ^ set(each)}")
    return found


def _show_table(targets: Sequence[dict[str, Any]]) -> None:
    table = Table(
        Column("Repository", no_wrap=True),
        Column("State", no_wrap=True),
        Column("Change", no_wrap=True),
        Column("Pull request", no_wrap=True, overflow="ignore"),
        box=None,
    )
    for target in targets:
        stat, pull = target["diff_stat"], target["pull_request"]
        change = f"+{stat['additions']} -{stat['deletions']}" if stat else ""
        table.add_row(target["repository"], target["state"], change, pull["url"] if pull else "")
    console.print(Rule("5. All pull requests"), table)


def _show_where(
    stack: Stack, folder: StackFolder, targets: Sequence[dict[str, Any]], seconds: float, *, keep: bool
) -> None:
    published = sum(1 for target in targets if target["pull_request"])
    console.print(f"\nFrom apply to the last pull request open: {seconds:.1f} s for {len(targets)} repositories")
    console.print(f"{published} pull requests · {_count(targets, 'unchanged')} unchanged")
    console.print(f"artifacts  {folder.path / 'artifacts'}")
    if not keep:
        console.print("\nIt stops now; with 'octobatch demo --keep' it stays, and its page can be looked at.")
        return
    console.print(f"page       {stack.url}/ui/runs/{targets[0]['run_id']}  (sign in with {folder.path / 'api-key'})")
    console.print(f"API        {stack.url}/docs")
