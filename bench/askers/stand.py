"""The stack, the askers as processes, and one measurement of each kind."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx

from bench.askers.http import open_http
from bench.askers.page import AtOnce, Load
from bench.askers.systems import System
from sandbox.folder import StackFolder
from sandbox.stack import Stack

AT_ONCE = 1000
LONGEST_SECONDS = 120.0
POLICIES = """version: 1
policies:
  - name: bench
    principals: [{apiKey: ".*"}]
    installations: [".*"]
    permissions: {contents: write, pull_requests: write}
"""
MINT = "access_tokens"


class Process:
    """An asker."""

    def __init__(self, system: System, log: Path) -> None:
        self._log = log
        with log.open("ab") as errors:
            self._process = subprocess.Popen(
                system.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True
            )
        self.begin(system.facts)
        self.answer()

    def begin(self, line: dict[str, Any]) -> None:
        """Tells it what to do."""
        assert self._process.stdin
        self._process.stdin.write(json.dumps(line) + "\n")
        self._process.stdin.flush()

    def answer(self) -> dict[str, Any]:
        """What it answers."""
        assert self._process.stdout
        line = self._process.stdout.readline()
        if not line:
            sys.exit(f"an asker ended:\n{self._log.read_text(errors='replace')[-3000:]}")
        return json.loads(line)

    def end(self) -> None:
        """Ends it."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.close()
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()


class Stand:
    """The stack, and what is asked of it."""

    def __init__(self, stack: Stack, folder: StackFolder) -> None:
        self.stack = stack
        self._folder = folder
        self._log = folder.logs / "askers.log"
        headers = {"authorization": f"Bearer {folder.api_key()}"}
        self._gateway = httpx.Client(base_url=stack.url, headers=headers, timeout=60)
        self._control = httpx.Client(base_url=f"{stack.github_url}/_sandbox/", timeout=60)
        self._organizations = 0

    def __enter__(self) -> Stand:
        """Lets the API key have tokens."""
        self._gateway.put("/v1/policies", json={"document": POLICIES}).raise_for_status()
        return self

    def __exit__(self, *_: object) -> None:
        """Closes its clients."""
        self._gateway.close()
        self._control.close()

    def scopes(self, count: int) -> list[tuple[int, int]]:
        """As many scopes that nobody has asked for, of an installation that Octobatch has heard of.

        It has looked up a repository's name there, for which it mints one more token an hour.
        """
        self._organizations += 1
        login = f"bench-{self._organizations}"
        installation = (
            self._control.post("accounts", json={"login": login}).raise_for_status().json()["installation_id"]
        )
        body = {"owner": login, "count": count + 1}
        made = self._control.post("repositories", json=body).raise_for_status().json()["repositories"]
        deadline = time.monotonic() + LONGEST_SECONDS
        while login not in {each["account"] for each in self._gateway.get("/v1/installations").json()["items"]}:
            if time.monotonic() > deadline:
                sys.exit(f"Octobatch does not hear of the installation on {login}")
            time.sleep(0.05)
        asked, *rest = (each["id"] for each in made)
        body = {"repository_ids": [asked]}
        self._gateway.post(f"/v1/tokens/installations/{installation}", json=body).raise_for_status()
        return [(installation, each) for each in rest]

    def mints(self) -> int:
        """How many tokens GitHub was asked for so far."""
        counters = self._control.get("counters").raise_for_status().json()
        return sum(count for kind, count in counters.items() if MINT in kind)

    @contextmanager
    def processes(self, system: System, count: int) -> Iterator[list[Process]]:
        """Fresh processes of an asker."""
        with ExitStack() as stack:
            processes: list[Process] = []
            for _ in range(count):
                processes.append(Process(system, self._log))
                stack.callback(processes[-1].end)
            yield processes

    def one_by_one(self, process: Process, scopes: Sequence[tuple[int, int]]) -> list[float]:
        """Milliseconds that each took."""
        process.begin({"do": "one_by_one", "scopes": scopes})
        return [ns / 1e6 for ns in process.answer()["ns"]]

    def at_once(self, system: System, *, processes: int, keys: int) -> AtOnce:
        """A thousand requests for so many cold scopes, from so many processes."""
        scopes = self.scopes(keys)
        before = self.mints()
        with self.processes(system, processes) as askers:
            asked = [scopes[number % keys] for number in range(AT_ONCE // processes)]  # the same ones of each
            for asker in askers:
                asker.begin({"do": "at_once", "scopes": asked})
            answers = [asker.answer() for asker in askers]
        ended, begun = max(each["ended"] for each in answers), min(each["begun"] for each in answers)
        return AtOnce(seconds=(ended - begun) / 1e9, mints=self.mints() - before)

    def route(self, path: str, *, load: Load, count: int) -> list[float]:
        """Milliseconds that each of `count` answers took under that load, from when the request was due."""
        return asyncio.run(self._route(path, load=load, count=count))

    async def _route(self, path: str, *, load: Load, count: int) -> list[float]:
        took: list[float] = []
        headers = {"authorization": f"Bearer {self._folder.api_key()}"}
        async with open_http(self.stack.gateway_port, headers) as http:

            async def ask(due: float) -> None:
                await http.request("GET", path)
                took.append((time.perf_counter() - due) * 1e3)

            async def ask_again(times: int) -> None:
                for _ in range(times):
                    await ask(time.perf_counter())

            await asyncio.gather(*(ask_again(1) for _ in range(load.at_once)))  # connects
            took.clear()
            if load.a_second is None:
                await asyncio.gather(*(ask_again(count // load.at_once) for _ in range(load.at_once)))
                return took
            begun = time.perf_counter()
            async with asyncio.TaskGroup() as group:
                for number in range(count):
                    due = begun + number / load.a_second
                    await asyncio.sleep(due - time.perf_counter())
                    group.create_task(ask(due))
        return took
