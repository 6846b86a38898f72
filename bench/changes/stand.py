"""The stand of the comparison: one GitHub sandbox, an organisation for each system, and what came of its turn."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx

from bench.running import running_stack
from sandbox.folder import StackFolder
from sandbox.stack import WORKERS, Stack
from tests.github_sandbox import RunningSandbox

FILES = {
    "go.mod": "module example.com/service\n\ngo 1.22\n\nrequire golang.org/x/text v0.14.0\n",
    "main.go": "package main\n\nfunc main() {}\n",
    **{f"internal/part{number}/part.go": f"package part{number}\n" for number in range(20)},
}


@dataclass(frozen=True, kw_only=True)
class Turn:
    """What one system did with its organisation: `opened` of `wanted` pull requests."""

    wanted: int
    opened: int
    seconds: float
    requests: int  # of the API; git is none
    limit_hits: int


class Stand:
    """The whole stack, and its GitHub. Limits are those that GitHub documents, or none."""

    def __init__(self, stack: Stack, folder: StackFolder, github: RunningSandbox) -> None:
        self.stack, self.github = stack, github
        headers = {"authorization": f"Bearer {folder.api_key()}"}
        self.gateway = httpx.Client(base_url=stack.url, headers=headers, timeout=60)
        self.scratch = folder.path / "scratch"
        self.scratch.mkdir()

    def turn(self, org: str, wanted: int, change: Callable[[str], None], *, ours: bool) -> Turn:
        """Makes the organisation, lets `change` at it, and looks at what the sandbox has then."""
        self.github.ask("PATCH", "settings", {"webhook_url": f"{self.stack.url}/webhooks/github" if ours else ""})
        self._run_octobatch(ours)
        self._make(org, wanted)
        if ours:
            self.gateway.post("/v1/installations/sync").raise_for_status()
        self.github.ask("POST", "webhooks/settle")
        self.github.ask("DELETE", "counters")
        begun = time.perf_counter()
        change(org)
        seconds = time.perf_counter() - begun
        counters: dict[str, int] = self.github.ask("GET", "counters")
        pulls: list[dict[str, Any]] = self.github.ask("GET", "pulls")
        return Turn(
            wanted=wanted,
            opened=len({pull["repository"] for pull in pulls if pull["repository"].startswith(f"{org}/")}),
            seconds=seconds,
            requests=sum(count for kind, count in counters.items() if kind == "graphql" or kind.startswith("rest ")),
            limit_hits=counters.get("limited", 0),
        )

    def token(self, org: str) -> str:
        """A token of the App for the organisation."""
        return self.github.token(self.github.installation_id(org))

    def _make(self, org: str, wanted: int) -> None:
        self.github.ask("POST", "accounts", {"login": org, "install": False})
        repositories = [{"name": f"service-{number:03}", "language": "Go", "files": FILES} for number in range(wanted)]
        for start in range(0, wanted, 50):
            self.github.ask("POST", "repositories", {"owner": org, "repositories": repositories[start : start + 50]})
        self.github.add_organization(org)

    def _run_octobatch(self, wanted: bool) -> None:
        """Has its processes run, or none, so that they take nothing from the others and ask nothing meanwhile."""
        for name in ("gateway", *(f"{worker} worker" for worker in WORKERS)):
            part = self.stack.part(name)
            running = part.process is not None and part.process.poll() is None
            if running and not wanted:
                part.stop()
            elif wanted and not running:
                part.start()


@contextmanager
def open_stand(*, jobs: int, limited: bool) -> Iterator[Stand]:
    """A stand whose Octobatch does `jobs` things at once; stopped at the end."""
    environment = {
        "OCTOBATCH_WORKER_CONCURRENCY": str(jobs),
        "OCTOBATCH_GITHUB_LIMITS": "on" if limited else "off",
    }
    with (
        running_stack(environment) as (stack, folder),
        httpx.Client(base_url=f"{stack.github_url}/_sandbox/", timeout=600) as control,
    ):
        github = RunningSandbox(url=stack.github_url, folder=folder.path / "github", control=control)
        github.ask("PUT", "limits", {"enabled": limited})
        yield Stand(stack, folder, github)
